package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var tasmotaSource = decode.Source{
	Name: "plugs", Topics: []string{"tele/+/#", "stat/+/#", "+/tele/+"}, Profile: "tasmota", Zone: "sn-z1",
}

func TestTasmota(t *testing.T) {
	const (
		docs    = "https://tasmota.github.io/docs/"
		saeDocs = "https://github.com/camueller/SmartApplianceEnabler/blob/master/doc/Tasmota_DE.md"
	)
	testDocumented(t, tasmotaSource, []profileTest{
		{name: "one sensor", source: docs + "MQTT/", topic: "tele/tasmota/SENSOR",
			payload: `{"Time":"2017-02-16T10:13:52", "DS18B20":{"Temperature":20.6}}`,
			want:    "sn-z1/electricity/tasmota 1487232832000 ds18b20_temperature_c=20.6"},
		{name: "DS18B20", source: docs + "DS18x20/", topic: "tele/t/SENSOR",
			payload: `{"Time":"2019-01-01T00:00:00","DS18B20":{"Temperature":49.7},"TempUnit":"C"}`,
			want:    "sn-z1/electricity/t 1546293600000 ds18b20_temperature_c=49.7"},
		{name: "BME280", source: docs + "BME280/", topic: "tele/t/SENSOR",
			payload: `{"Time":"2019-11-03T19:34:28","BME280":{"Temperature":21.7,"Humidity":66.6,"Pressure":988.6},"PressureUnit":"hPa","TempUnit":"C"}`,
			want:    "sn-z1/electricity/t 1572802468000 bme280_temperature_c=21.7 bme280_humidity_pct=66.6 bme280_pressure_bar=0.9886"},
		{name: "AM2301", source: docs + "AM2301/", topic: "tele/t/SENSOR",
			payload: `{"Time":"2019-01-01T00:00:00","AM2301":{"Temperature":24.6,"Humidity":58.2},"TempUnit":"C"}`,
			want:    "sn-z1/electricity/t 1546293600000 am2301_temperature_c=24.6 am2301_humidity_pct=58.2"},
		{name: "HC-SR04", source: docs + "HC-SR04/", topic: "tele/t/SENSOR",
			payload: `{"Time":"2019-01-01T22:42:35","SR04":{"Distance":16.754}}`,
			want:    "sn-z1/electricity/t 1546375355000 sr04_distance=16.754"},
		{name: "status 8 of a Sonoff Pow", source: saeDocs, topic: "stat/pow/STATUS8",
			payload: `{"StatusSNS":{"Time":"2019-09-06T20:06:19","ENERGY":{"TotalStartTime":"2019-08-18T11:07:55","Total":0.003,"Yesterday":0.000,"Today":0.003,"Power":26,"ApparentPower":25,"ReactivePower":25,"Factor":0.06,"Voltage":239,"Current":0.106}}}`,
			want:    "sn-z1/electricity/pow 1567789579000 energy_import_kwh=0.003 energy_yesterday_kwh=0 energy_today_kwh=0.003 active_power_kw=0.026 apparent_power_kva=0.025 reactive_power_kvar=0.025 power_factor=0.06 voltage_l1_v=239 current_l1_a=0.106"},
		{name: "spaces before numbers", source: "https://github.com/openshwprojects/OpenBK7231T_App/blob/main/src/httpserver/json_interface.c", topic: "stat/obk/STATUS10",
			payload: `{"StatusSNS":{"Time":"2022-07-30T10:11:26","ENERGY":{"TotalStartTime":"2022-05-12T10:56:31","Total":0.003,"Yesterday":0.003,"Today":0.000,"Power": 0,"ApparentPower": 0,"ReactivePower": 0,"Factor":0.00,"Voltage":236,"Current":0.000}}}`,
			want:    "sn-z1/electricity/obk 1659165086000 energy_import_kwh=0.003 energy_yesterday_kwh=0.003 energy_today_kwh=0 active_power_kw=0 apparent_power_kva=0 reactive_power_kvar=0 power_factor=0 voltage_l1_v=236 current_l1_a=0"},
		{name: "numbers in quotes, firmware of 2017", source: "https://github.com/arendst/Tasmota/wiki/Home-Assistant", topic: "stat/sonoff/STATUS10",
			payload: `{"StatusSNS":{"Time":"2017-02-11T18:06:05", "DHT":{"Temperature":"21.8", "Humidity":"48.0"}}}`,
			want:    "sn-z1/electricity/sonoff 1486829165000 dht_temperature_c=21.8 dht_humidity_pct=48"},
		{name: "a plug of Athom", source: "https://github.com/arendst/Tasmota/issues/20459", topic: "tele/athomspv3a/SENSOR",
			payload: `{"Time":"2024-01-14T18:03:15","ENERGY":{"TotalStartTime":"2024-01-14T18:02:42","Total":1066.000,"Yesterday":0.000,"Today":0.000,"Period":0.00,"Power":0.00,"ApparentPower":0.00,"ReactivePower":0.00,"Factor":0.00,"Voltage":227.7,"Current":0.000}}`,
			want:    "sn-z1/electricity/athomspv3a 1705244595000 energy_import_kwh=1066 energy_yesterday_kwh=0 energy_today_kwh=0 energy_period_kwh=0 active_power_kw=0 apparent_power_kva=0 reactive_power_kvar=0 power_factor=0 voltage_l1_v=227.7 current_l1_a=0"},
		{name: "its state", source: "https://github.com/arendst/Tasmota/issues/20459", topic: "tele/athomspv3a/STATE",
			payload: `{"Time":"2024-01-14T18:03:15","Uptime":"0T00:03:14","UptimeSec":194,"Heap":183,"SleepMode":"Dynamic","Sleep":50,"LoadAvg":21,"MqttCount":1,"Berry":{"HeapUsed":4,"Objects":46},"POWER":"ON","Wifi":{"AP":1,"SSId":"indebuurt_IoT","BSSId":"18:E8:29:CA:17:C1","Channel":11,"Mode":"11n","RSSI":60,"Signal":-70,"LinkCount":1,"Downtime":"0T00:00:04"}}`,
			want:    "sn-z1/electricity/athomspv3a 1705244595000 uptimesec=194 heap=183 sleep=50 loadavg=21 mqttcount=1 berry_heapused=4 berry_objects=46 power=1 wifi_ap=1 wifi_channel=11 wifi_rssi=60 wifi_signal=-70 wifi_linkcount=1"},
		{name: "a meter with pulses", source: "https://github.com/arendst/Tasmota/issues/4230", topic: "tele/s0/SENSOR",
			payload: `{"Time": "2018-10-31T14:38:39","ENERGY": {"TotalStartTime": "2018-10-31T07:57:44","Total": 0.594,"Yesterday": 0.031,"Today": 0.530,"Period": 0,"Power": 4,"ApparentPower": 11,"ReactivePower": 10,"Factor": 0.36,"Voltage": 220,"Current": 0.048}}`,
			want:    "sn-z1/electricity/s0 1540989519000 energy_import_kwh=0.594 energy_yesterday_kwh=0.031 energy_today_kwh=0.53 energy_period_kwh=0 active_power_kw=0.004 apparent_power_kva=0.011 reactive_power_kvar=0.01 power_factor=0.36 voltage_l1_v=220 current_l1_a=0.048"},
		{name: "two channels of a Shelly 2.5", source: "https://github.com/arendst/Tasmota/issues/6160", topic: "tele/shelly25/SENSOR",
			payload: `{"Time":"2019-09-14T16:24:49","Switch1":"OFF","Switch2":"OFF","ANALOG":{"Temperature":52.5},"ENERGY":{"TotalStartTime":"2019-04-13T18:21:03","Total":3.262,"Yesterday":0.000,"Today":0.005,"Period":1.34,"Power":[23.63,67.17],"ApparentPower":[23.63,67.17],"ReactivePower":[0.00,0.00],"Factor":[1.00,1.00],"Voltage":229.3,"Current":[0.103,0.293]},"TempUnit":"C"}`,
			want:    "sn-z1/electricity/shelly25 1568467489000 switch1=0 switch2=0 analog_temperature_c=52.5 energy_import_kwh=3.262 energy_yesterday_kwh=0 energy_today_kwh=0.005 energy_period_kwh=0.00134 active_power_l1_kw=0.02363 active_power_kw=0.0908 active_power_l2_kw=0.06717 apparent_power_l1_kva=0.02363 apparent_power_kva=0.0908 apparent_power_l2_kva=0.06717 reactive_power_l1_kvar=0 reactive_power_kvar=0 reactive_power_l2_kvar=0 power_factor_l1=1 power_factor_l2=1 voltage_l1_v=229.3 current_l1_a=0.103 current_l2_a=0.293"},
		{name: "a reader of a meter by its status, named as in SENSOR", source: "https://github.com/reserve85/HoymilesZeroExport/issues/4", topic: "stat/sml/STATUS10",
			payload: `{"StatusSNS":{"Time":"2023-02-28T11:41:19","DWS74":{"Total":1234.567,"TotalOut":1.234,"Power":2,"Server_id":"xxx"}}}`,
			want:    "sn-z1/electricity/sml 1677573679000 dws74_total=1234.567 dws74_totalout=1.234 dws74_power=2"},
		{name: "a reader without a name", source: "https://github.com/trucki-eu/Trucki2Shelly-Gateway/issues/17", topic: "stat/sml/STATUS10",
			payload: `{"StatusSNS":{"Time":"2023-06-11T05:35:26","":{"Total_in":2173.5,"Total_out":349.3,"Power_curr":-136.39}}}`,
			want:    "sn-z1/electricity/sml 1686450926000 total_in=2173.5 total_out=349.3 power_curr=-136.39"},
		{name: "the TIC of a French meter, filled up with zeros", source: "https://github.com/NicolasBernaerts/tasmota/blob/master/teleinfo/README.md", topic: "compteur/tele/SENSOR",
			payload: `{"Time":"2021-03-13T09:20:30","TIC":{"ADCO":"061964xxxxxx","OPTARIF":"BASE","ISOUSC":"30","BASE":"007970903","PTEC":"TH..","IINST":"003","IMAX":"090","PAPP":"00780","HHPHC":"A","MOTDETAT":"000000","PHASE":1,"SSOUSC":"6000","IINST1":"3","SINSTS1":"780"}}`,
			want:    "sn-z1/electricity/compteur 1615620030000 tic_isousc=30 energy_import_kwh=7970.903 current_l1_a=3 tic_imax=90 apparent_power_kva=0.78 tic_motdetat=0 tic_phase=1 tic_ssousc=6000 tic_iinst1_a=3 apparent_power_l1_kva=0.78"},
		{name: "what a French meter says twice", source: "https://github.com/NicolasBernaerts/tasmota/blob/master/teleinfo/README.md", topic: "compteur/tele/SENSOR",
			payload: `{"Time":"2021-03-13T09:20:26","ENERGY":{"TotalStartTime":"2021-03-13T09:20:26","Total":7970.903,"Yesterday":3.198,"Today":6.024,"Period":63,"Power":860,"Current":4.000},"TIC":{"ADCO":"061964xxxxxx","BASE":"007970903","IINST":"004","PAPP":"00860","PHASE":1},"IP":"192.168.xx.xx"}`,
			want:    "sn-z1/electricity/compteur 1615620026000 energy_import_kwh=7970.903 energy_yesterday_kwh=3.198 energy_today_kwh=6.024 energy_period_kwh=0.063 active_power_kw=0.86 current_l1_a=4 tic_base_kwh=7970.903 tic_iinst_a=4 apparent_power_kva=0.86 tic_phase=1"},
		{name: "firmware without TotalStartTime", source: "https://github.com/arendst/Tasmota/issues/2785", topic: "tele/DVES_EA9716/SENSOR",
			payload: `{"Time":"2018-05-22T02:16:29","ENERGY":{"Total":0.052,"Yesterday":0.000,"Today":0.052,"Period":0,"Power":0,"Factor":0.00,"Voltage":207,"Current":0.000}}`,
			want:    "sn-z1/electricity/DVES_EA9716 1526944589000 energy_import_kwh=0.052 energy_yesterday_kwh=0 energy_today_kwh=0.052 energy_period_kwh=0 active_power_kw=0 power_factor=0 voltage_l1_v=207 current_l1_a=0"},
	})
}

// Made after EnergyShow in xdrv_03_energy.ino, and the scripts of the smart meter
// interface, whose keys are their writers'.
func TestTasmotaVariants(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "two channels, Total split", topic: "tele/tasmota/SENSOR",
			payload: `{"Time":"2026-09-18T11:19:21","ENERGY":{"TotalStartTime":"2026-09-16T00:00:00","Total":[2.5,0.25],"Yesterday":[1.5,0.125],"Power":[52,5],"ApparentPower":[66,10],"ReactivePower":[40,9],"Factor":[0.79,0.50],"Voltage":235,"Current":[0.278,0.044],"BL09XX":{"Temperature":46.5}},"TempUnit":"C"}`,
			want:    "sn-z1/electricity/tasmota 1789719561000 energy_import_l1_kwh=2.5 energy_import_kwh=2.75 energy_import_l2_kwh=0.25 energy_yesterday_l1_kwh=1.5 energy_yesterday_kwh=1.625 energy_yesterday_l2_kwh=0.125 active_power_l1_kw=0.052 active_power_kw=0.057 active_power_l2_kw=0.005 apparent_power_l1_kva=0.066 apparent_power_kva=0.076 apparent_power_l2_kva=0.01 reactive_power_l1_kvar=0.04 reactive_power_kvar=0.049 reactive_power_l2_kvar=0.009 power_factor_l1=0.79 power_factor_l2=0.5 voltage_l1_v=235 current_l1_a=0.278 current_l2_a=0.044 energy_bl09xx_temperature_c=46.5"},
		{name: "three phases, export", topic: "tele/em3/SENSOR",
			payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"TotalStartTime":"2020-01-01T00:00:00","Total":1000,"Yesterday":20.5,"Today":7.25,"TodaySumImport":6.5,"TodaySumExport":0.75,"ExportActive":[10,2,0.5],"Power":[1000,2000,-500],"Factor":[0.99,0.98,0.97],"Frequency":50,"Voltage":[229,230,231],"Current":[4.4,8.9,2.2],"ImportReactive":[1,2,3],"PhaseAngle":[1.5,2.5,3.5]}}`,
			want:    "sn-z1/electricity/em3 received energy_import_kwh=1000 energy_yesterday_kwh=20.5 energy_today_kwh=7.25 energy_today_import_kwh=6.5 energy_today_export_kwh=0.75 energy_export_l1_kwh=10 energy_export_kwh=12.5 energy_export_l2_kwh=2 energy_export_l3_kwh=0.5 active_power_l1_kw=1 active_power_kw=2.5 active_power_l2_kw=2 active_power_l3_kw=-0.5 power_factor_l1=0.99 power_factor_l2=0.98 power_factor_l3=0.97 frequency_hz=50 voltage_l1_v=229 voltage_l2_v=230 voltage_l3_v=231 current_l1_a=4.4 current_l2_a=8.9 current_l3_a=2.2 reactive_energy_import_l1_kvarh=1 reactive_energy_import_kvarh=6 reactive_energy_import_l2_kvarh=2 reactive_energy_import_l3_kvarh=3 energy_phaseangle_0=1.5 energy_phaseangle_1=2.5 energy_phaseangle_2=3.5"},
		{name: "tariffs", topic: "tele/t/SENSOR",
			payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"TotalStartTime":"2020-01-01T00:00:00","Total":15.000,"TotalTariff":[4.500,10.500],"Yesterday":1.000,"Today":0.250,"ExportActive":3.000,"ExportTariff":[1.000,2.000],"Period":12,"Power":300}}`,
			want:    "sn-z1/electricity/t received energy_import_kwh=15 energy_import_t1_kwh=4.5 energy_import_t2_kwh=10.5 energy_yesterday_kwh=1 energy_today_kwh=0.25 energy_export_kwh=3 energy_export_t1_kwh=1 energy_export_t2_kwh=2 energy_period_kwh=0.012 active_power_kw=0.3"},
		{name: "a reader of an electricity meter", topic: "tele/sml/SENSOR",
			payload: `{"Time":"2025-04-26T22:49:54","z":{"SMid":"72913313","Pi":0.010,"Po":0.000,"I1":0.35,"I2":0.42,"I3":0.12,"Ei":168.754,"Eo":604.610,"Ei1":130.675,"Ei2":38.070,"Eo1":114.819,"Eo2":489.779,"Q5":154.927}}`,
			want:    "sn-z1/electricity/sml 1745696994000 z_pi=0.01 z_po=0 z_i1=0.35 z_i2=0.42 z_i3=0.12 z_ei=168.754 z_eo=604.61 z_ei1=130.675 z_ei2=38.07 z_eo1=114.819 z_eo2=489.779 z_q5=154.927"},
		{name: "plug", topic: "tele/sonoff_desk/SENSOR",
			payload: `{"Time":"2023-05-19T20:52:56","ENERGY":{"TotalStartTime":"2022-03-20T15:20:48","Total":514.153,"Yesterday":1.495,"Today":0.537,"Period":0,"Power":56,"ApparentPower":92,"ReactivePower":73,"Factor":0.61,"Voltage":234,"Current":0.392}}`,
			want:    "sn-z1/electricity/sonoff_desk 1684518776000 energy_import_kwh=514.153 energy_yesterday_kwh=1.495 energy_today_kwh=0.537 energy_period_kwh=0 active_power_kw=0.056 apparent_power_kva=0.092 reactive_power_kvar=0.073 power_factor=0.61 voltage_l1_v=234 current_l1_a=0.392"},
		{name: "degrees Fahrenheit and inches of mercury", topic: "tele/x/SENSOR",
			payload: `{"Time":"2026-08-30T10:15:00","Switch1":"OFF","Switch2":"ON","ANALOG":{"Temperature1":100.4},"BMP280":{"Temperature":50,"Pressure":29.92},"DS18B20-1":{"Id":"01131B123456","Temperature":212},"DS18B20-2":{"Id":"01131B123457","Temperature":32},"TempUnit":"F","PressureUnit":"inHg"}`,
			want:    "sn-z1/electricity/x 1788074100000 switch1=0 switch2=1 analog_temperature1_c=38 bmp280_temperature_c=10 bmp280_pressure_bar=1.01320748119 ds18b20_1_temperature_c=100 ds18b20_2_temperature_c=0"},
		{name: "counters and a nested array", topic: "tele/x/SENSOR",
			payload: `{"Time":"2026-11-23T11:15:00","COUNTER":{"C1":12345,"C2":0},"ANALOG":{"A0":512,"Range":0},"LIST":{"R":[[1,2],[3]]},"INA219":{"Voltage":4.494,"Current":0.020,"Power":0.089}}`,
			want:    "sn-z1/electricity/x received counter_c1=12345 counter_c2=0 analog_a0=512 analog_range=0 list_r_0_0=1 list_r_0_1=2 list_r_1_0=3 ina219_voltage=4.494 ina219_current=0.02 ina219_power=0.089"},
		{name: "state", topic: "tele/p/STATE",
			payload: `{"Time":"2026-11-23T11:15:00","Uptime":"48T19:42:51","UptimeSec":4218171,"Heap":14,"SleepMode":"Dynamic","POWER1":"OFF","Wifi":{"AP":1,"SSId":"x","RSSI":42,"Signal":-79}}`,
			want:    "sn-z1/electricity/p received uptimesec=4218171 heap=14 power1=0 wifi_ap=1 wifi_rssi=42 wifi_signal=-79"},
		{name: "a topic of several levels", topic: "tele/home/cellar/plug/SENSOR",
			payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":1}}`, want: "sn-z1/electricity/plug received active_power_kw=0.001"},
		{name: "a reading that is null", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","AM2301":{"Temperature":null,"Humidity":50},"TempUnit":"C"}`, want: "sn-z1/electricity/p received am2301_humidity_pct=50"},
		{name: "no energy", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00"}`, want: "control"},
		{name: "command result", topic: "stat/p/RESULT", payload: `{"POWER":"ON"}`, want: "control"},
		{name: "broken", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Total":1`, want: "!bad_json"},
		{name: "no time", topic: "tele/p/SENSOR", payload: `{"ENERGY":{"Total":1}}`, want: "sn-z1/electricity/p received energy_import_kwh=1"},
		{name: "no time, retained", topic: "tele/p/SENSOR", payload: `{"ENERGY":{"Total":1}}`, retained: true, want: "ignored"},
		{name: "absurd time", topic: "tele/p/SENSOR", payload: `{"Time":"soon","ENERGY":{"Total":1}}`, want: "!no_time"},
		{name: "unknown pressure unit", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","B":{"Pressure":1},"PressureUnit":"cubit"}`, want: "!bad_unit"},
		{name: "same value twice", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Total":1,"Total":2}}`, want: "!duplicate_key"},
	})
}

// The traps of DOMAIN.md.

// Time is local and names no zone.
func TestTasmotaTrapLocalTime(t *testing.T) {
	source := tasmotaSource
	source.Timezone = "Europe/Berlin" // UTC+1 in winter, +2 in summer
	testProfile(t, source, []profileTest{
		{name: "winter", topic: "tele/p/SENSOR", payload: `{"Time":"2026-01-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1768474800000 active_power_kw=0"},
		{name: "summer", topic: "tele/p/SENSOR", payload: `{"Time":"2026-07-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1784109600000 active_power_kw=0"},
		{name: "with a zone after all", topic: "tele/p/SENSOR", payload: `{"Time":"2026-07-15T12:00:00Z","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1784116800000 active_power_kw=0"},
		{name: "Epoch is UTC and stands before it", topic: "tele/p/SENSOR", payload: `{"Time":"2019-09-04T14:31:29","Epoch":1567600289,"ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1567600289000 active_power_kw=0"},
		{name: "Epoch alone", topic: "tele/p/SENSOR", payload: `{"Time":1567600289,"ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1567600289000 active_power_kw=0"},
		{name: "milliseconds", topic: "tele/p/SENSOR", payload: `{"Time":"2026-01-15T12:00:00.250","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1768474800250 active_power_kw=0"},
	})
}

// Damascus had summer time until October 2022 and is at UTC+3 since.
func TestTasmotaTrapLocalTimeInDamascus(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "winter 2021", topic: "tele/p/SENSOR", payload: `{"Time":"2021-01-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1610704800000 active_power_kw=0"},
		{name: "winter 2026", topic: "tele/p/SENSOR", payload: `{"Time":"2026-01-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1768467600000 active_power_kw=0"},
	})
}

// The last will is no reading; it says that the meters of the device are gone.
func TestTasmotaTrapLWT(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{tasmotaSource}, meter.NewCatalog(10))
	for _, step := range []struct{ topic, payload, want string }{
		{"tele/p/LWT", "Offline", "control"}, // of a device nobody knows
		{"tele/p/SENSOR", `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":1}}`, "sn-z1/electricity/p received active_power_kw=0.001"},
		{"tele/p/LWT", "Online", "control"},
		{"tele/p/LWT", "Offline", "control p"},
		{"tele/q/LWT", "Offline", "control"},
		{"tele/p/LWT", "", "control"},
	} {
		if got := read(d, decode.Message{Topic: step.topic, Payload: []byte(step.payload), Retained: step.topic == "tele/p/LWT", Received: arrived}); got != step.want {
			t.Errorf("%s %s: got %s, want %s", step.topic, step.payload, got, step.want)
		}
	}
}

// STATUS8 and STATUS10 nest what SENSOR has at the top.
func TestTasmotaTrapStatusNests(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "status 10", topic: "stat/p/STATUS10", payload: `{"StatusSNS":{"Time":"2024-06-26T16:19:59","ENERGY":{"Total":167.743,"Power":3}}}`, want: "sn-z1/electricity/p 1719407999000 energy_import_kwh=167.743 active_power_kw=0.003"},
		{name: "status 8, its unit nested too", topic: "stat/p/STATUS8", payload: `{"StatusSNS":{"Time":"2018-12-03T13:48:08","SI7021":{"Temperature":63.5,"Humidity":51.2},"TempUnit":"F"}}`, want: "sn-z1/electricity/p 1543837688000 si7021_temperature_c=17.5 si7021_humidity_pct=51.2"},
	})
}

// Phases are arrays, and a city needs the sum.
func TestTasmotaTrapPhasesAreArrays(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "sum", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":[100,200,300],"Voltage":[229,230,231]}}`, want: "sn-z1/electricity/p received active_power_l1_kw=0.1 active_power_kw=0.6 active_power_l2_kw=0.2 active_power_l3_kw=0.3 voltage_l1_v=229 voltage_l2_v=230 voltage_l3_v=231"},
		{name: "one phase", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":[100]}}`, want: "sn-z1/electricity/p received active_power_l1_kw=0.1 active_power_kw=0.1"},
		{name: "a phase without a value", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":[100,null,300]}}`, want: "sn-z1/electricity/p received active_power_l1_kw=0.1 active_power_kw=0.4 active_power_l3_kw=0.3"},
	})
}

// Energy is in kWh, but power in W and Period in Wh.
func TestTasmotaTrapKWh(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "units", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Total":1234.567,"Period":250,"Power":1500}}`, want: "sn-z1/electricity/p received energy_import_kwh=1234.567 energy_period_kwh=0.25 active_power_kw=1.5"},
	})
}

// The source's own word goes before the profile's.
func TestTasmotaBehindTransformers(t *testing.T) {
	source := tasmotaSource
	source.Quality = "estimated"
	source.Registers = []decode.Register{
		{Path: "Power", Register: "active_power_kw", Unit: "W", Scale: 80},
		{Path: "SML.Total_in", Register: "energy_import_kwh", Unit: "Wh"},
		{Path: "ENERGY.Today", Register: "-"},
	}
	testProfile(t, source, []profileTest{
		{name: "scaled", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":1500,"Today":3},"SML":{"Total_in":1500}}`, want: "sn-z1/electricity/p received estimated active_power_kw=120 energy_import_kwh=1.5"},
	})
}
