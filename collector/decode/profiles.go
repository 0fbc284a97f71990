package decode

// formats lists the profiles besides the native one.
var formats = []format{
	tasmota,
	shelly,
	wmbusmeters,
	zigbee2mqtt,
	senml,
	thingsboard,
	chirpstack,
	ttn,
	dsmr,
	victron,
	sparkplug,
	valueFormat,
	mappedFormat,
}
