package decode

// formats lists the profiles besides the native one.
var formats = []format{
	tasmota,
	shelly,
	wmbusmeters,
	zigbee2mqtt,
	thingsboard,
	chirpstack,
	ttn,
	dsmr,
	victron,
	valueFormat,
	mappedFormat,
}
