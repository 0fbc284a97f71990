package decode

// formats lists the profiles besides the native one.
var formats = []format{
	tasmota,
	shelly,
	wmbusmeters,
	mappedFormat,
}
