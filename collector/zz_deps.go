package collector

import (
	_ "github.com/fxamacker/cbor/v2"
	_ "github.com/xuri/excelize/v2"
	_ "google.golang.org/protobuf/proto"
)
