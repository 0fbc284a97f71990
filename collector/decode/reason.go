package decode

// Reason says why a message is in quarantine. Reasons are a published
// contract: scripts select on them.
type Reason string

// The reasons decoding gives.
const (
	Empty         Reason = "empty"
	TooLarge      Reason = "too_large"
	NotUTF8       Reason = "not_utf8"
	BadJSON       Reason = "bad_json"
	BadCBOR       Reason = "bad_cbor"
	TooDeep       Reason = "too_deep"
	DuplicateKey  Reason = "duplicate_key"
	NoTime        Reason = "no_time"
	NoValues      Reason = "no_values"
	BadValue      Reason = "bad_value"
	NotFinite     Reason = "not_finite"
	BadUnit       Reason = "bad_unit"
	BadName       Reason = "bad_name"
	BadTopic      Reason = "bad_topic"
	NoSource      Reason = "no_source"
	TooManyMeters Reason = "too_many_meters"
	BadProtobuf   Reason = "bad_protobuf"
	NoBirth       Reason = "no_birth"
)

// Reasons lists every reason of this package with what it means, in the order
// in which the manual shows them.
var Reasons = []struct {
	Reason  Reason
	Meaning string
}{
	{NoSource, "no configured source has a topic filter that matches the topic"},
	{BadTopic, "the topic has the wrong number of levels, or an unknown utility"},
	{BadName, "a zone, meter or register name is not legal, or is reserved"},
	{TooManyMeters, "more distinct meters than one process keeps apart"},
	{Empty, "the payload is empty"},
	{TooLarge, "the payload is larger than a reading can be"},
	{NotUTF8, "the payload is not UTF-8 text"},
	{BadJSON, "the payload is not well-formed JSON of the expected shape, or is cut short"},
	{BadCBOR, "the payload is not well-formed CBOR of the expected shape, or is cut short"},
	{TooDeep, "the JSON is nested too deeply"},
	{DuplicateKey, "a JSON object has the same key twice"},
	{NoTime, "there is no timestamp, or it cannot be read"},
	{NoValues, "the message carries no register"},
	{BadValue, "a register or attribute has a value of the wrong type"},
	{BadUnit, "a unit is unknown, or measures something else than the register"},
	{NotFinite, "a number is NaN, infinite or beyond a double's range"},
	{BadProtobuf, "the payload is not a well-formed Sparkplug B payload"},
	{NoBirth, "Sparkplug data by alias of a node or device whose birth is not known; a rebirth was asked for"},
}

// Reject is the error for a message that must go to quarantine.
type Reject struct {
	Reason Reason
	Detail string // for people: what was found, and where
}

func (r *Reject) Error() string { return string(r.Reason) + ": " + r.Detail }
