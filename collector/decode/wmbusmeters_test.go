package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var wmbusSource = decode.Source{Name: "wmbus", Topics: []string{"wmbusmeters/#"}, Profile: "wmbusmeters", Zone: "sn-z1"}

// What the drivers make of telegrams; the time is ours, where theirs is blanked.
func TestWmbusmeters(t *testing.T) {
	const (
		at     = `"timestamp":"2026-11-23T08:15:00Z"}`
		repo   = "https://github.com/wmbusmeters/wmbusmeters/blob/master/"
		readme = repo + "README.md"
		t1     = repo + "simulations/simulation_t1.txt"
		c1     = repo + "simulations/simulation_c1.txt"
		el     = repo + "simulations/simulation_el_meters.txt"
	)
	testDocumented(t, wmbusSource, []profileTest{
		{name: "multical21", source: c1, topic: "wmbusmeters/MyTapWater",
			payload: `{"media":"cold water","meter":"multical21","name":"MyTapWater","id":"76348799","status":"DRY","total_m3":6.408,"target_m3":6.408,"flow_temperature_c":127,"external_temperature_c":19,"current_status":"DRY","time_dry":"22-31 days","time_reversed":"","time_leaking":"","time_bursting":"",` + at,
			want:    "sn-z1/water/76348799 received volume_m3=6.408 target_m3=6.408 flow_temperature_c=127 external_temperature_c=19"},
		{name: "flowiq2200", source: c1, topic: "wmbusmeters/x",
			payload: `{"media":"cold water","meter":"flowiq2200","name":"MyWater","id":"52525252","status":"OK","total_m3":44.206,"target_m3":43.108,"target_date":"2020-10-01","flow_m3h":0,"min_flow_temperature_c":12,"max_flow_temperature_c":20,"min_external_temperature_c":19,"max_flow_m3h":0.495,"min_flow_m3h":0,` + at,
			want:    "sn-z1/water/52525252 received volume_m3=44.206 target_m3=43.108 flow_m3h=0 min_flow_temperature_c=12 max_flow_temperature_c=20 min_external_temperature_c=19 max_flow_m3h=0.495 min_flow_m3h=0"},
		{name: "omnipower", source: c1, topic: "wmbusmeters/x",
			payload: `{"media":"electricity","meter":"omnipower","name":"myomnipower","id":"32666857","total_energy_consumption_kwh":7.94,"total_energy_production_kwh":0,"current_power_consumption_kw":0.003,"current_power_production_kw":0,` + at,
			want:    "sn-z1/electricity/32666857 received energy_import_kwh=7.94 energy_export_kwh=0 active_power_kw=0.003 active_power_export_kw=0"},
		{name: "amiplus, three phases", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"electricity","meter":"amiplus","name":"MyElectricity2","id":"00254358","total_energy_consumption_kwh":9652.22,"current_power_consumption_kw":1.055,"total_energy_production_kwh":0,"current_power_production_kw":0,"voltage_at_phase_1_v":235,"voltage_at_phase_2_v":245,"voltage_at_phase_3_v":239,"max_power_consumption_kw":4.796,"device_date_time":"2021-10-12 08:07:00",` + at,
			want:    "sn-z1/electricity/00254358 received energy_import_kwh=9652.22 active_power_kw=1.055 energy_export_kwh=0 active_power_export_kw=0 voltage_l1_v=235 voltage_l2_v=245 voltage_l3_v=239 max_power_consumption_kw=4.796"},
		{name: "esyswm, tariffs and phases", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"electricity","meter":"esyswm","name":"Elen2","id":"77997799","fabrication_no":"1SEY0987654321","enhanced_id":"1ESY9887654321","location":"AAAAAAAAAAAAAAAAAAAA","location_hex":"AAAAAAAAAAAAAAAAAAAA","total_energy_consumption_kwh":1643.4165,"current_power_consumption_kw":0.43832,"total_energy_production_kwh":0.1876,"total_energy_consumption_tariff1_kwh":1643.2,"total_energy_consumption_tariff2_kwh":0.21,"current_power_consumption_phase1_kw":0.0281,"current_power_consumption_phase2_kw":0.02565,"current_power_consumption_phase3_kw":0.38456,"version":"00000000 V00.04",` + at,
			want:    "sn-z1/electricity/77997799 received energy_import_kwh=1643.4165 active_power_kw=0.43832 energy_export_kwh=0.1876 energy_import_t1_kwh=1643.2 energy_import_t2_kwh=0.21 active_power_l1_kw=0.0281 active_power_l2_kw=0.02565 active_power_l3_kw=0.38456"},
		{name: "gransystems", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"electricity","meter":"gransystems","name":"Gran101","id":"18046178","status":"OK","info":"SINGLE_PHASE_METER","total_energy_consumption_kwh":0.916,"total_energy_consumption_tariff_4_kwh":0,"total_energy_consumption_tariff_2_kwh":0.043,"total_energy_consumption_tariff_3_kwh":0,"total_energy_consumption_tariff_1_kwh":0.873,"target_datetime":"2021-01-28 00:00","target_energy_consumption_kwh":0.916,"device_datetime":"2021-01-28 19:15","voltage_at_phase_1_v":235,"current_at_phase_1_a":0,"frequency_hz":49.98,` + at,
			want:    "sn-z1/electricity/18046178 received energy_import_kwh=0.916 energy_import_t4_kwh=0 energy_import_t2_kwh=0.043 energy_import_t3_kwh=0 energy_import_t1_kwh=0.873 target_energy_consumption_kwh=0.916 voltage_l1_v=235 current_l1_a=0 frequency_hz=49.98"},
		{name: "amiplus, what is not measured is null", source: repo + "src/driver_amiplus.cc", topic: "wmbusmeters/x",
			payload: `{"media":"electricity","meter":"amiplus","name":"MyElectricity1","id":"10101010","total_energy_consumption_kwh":15694.05,"current_power_consumption_kw":0.33,"total_energy_production_kwh":7.48,"current_power_production_kw":0,"voltage_at_phase_1_v":236,"voltage_at_phase_2_v":null,"voltage_at_phase_3_v":null,"device_date_time":"2019-03-20 12:57","total_energy_consumption_tariff_1_kwh":null,"total_energy_consumption_tariff_2_kwh":null,"total_energy_consumption_tariff_3_kwh":null,` + at,
			want:    "sn-z1/electricity/10101010 received energy_import_kwh=15694.05 active_power_kw=0.33 energy_export_kwh=7.48 active_power_export_kw=0 voltage_l1_v=236"},
		{name: "ebzwmbe", source: repo + "src/driver_ebzwmbe.cc", topic: "wmbusmeters/x",
			payload: `{"media":"electricity","meter":"ebzwmbe","name":"Elen1","id":"22992299","total_energy_consumption_kwh":2816.304,"current_power_consumption_phase1_kw":0.09471,"current_power_consumption_phase2_kw":0.10602,"current_power_consumption_phase3_kw":0.01606,"customer":"654321","current_power_consumption_kw":0.21679,` + at,
			want:    "sn-z1/electricity/22992299 received energy_import_kwh=2816.304 active_power_l1_kw=0.09471 active_power_l2_kw=0.10602 active_power_l3_kw=0.01606 active_power_kw=0.21679"},
		{name: "ehzp behind a radio converter", source: el, topic: "wmbusmeters/x",
			payload: `{"media":"electricity","meter":"ehzp","name":"MyEl","id":"01135263","total_energy_consumption_kwh":212.637,"current_power_consumption_kw":0.74472,"total_energy_production_kwh":0,"on_time_h":0,` + at,
			want:    "sn-z1/electricity/01135263 received energy_import_kwh=212.637 active_power_kw=0.74472 energy_export_kwh=0 on_time_h=0"},
		{name: "apator08, an id with letters", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"water","meter":"apator08","name":"Vatten","id":"004444dd","total_m3":871.571,` + at,
			want:    "sn-z1/water/004444dd received volume_m3=871.571"},
		{name: "izar", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"water","meter":"izar","name":"IzarWater4","id":"18001698","total_m3":835.689,"last_month_total_m3":820.329,"last_month_measure_date":"2021-09-01","remaining_battery_life_y":0.5,"current_alarms":"no_alarm","previous_alarms":"no_alarm","transmit_period_s":8,` + at,
			want:    "sn-z1/water/18001698 received volume_m3=835.689 last_month_total_m3=820.329 remaining_battery_life_y=0.5 transmit_period_s=8"},
		{name: "hydrus", source: t1, topic: "wmbusmeters/x",
			payload: `{"actuality_duration_s": 6673,"at_date": "2020-12-31","external_temperature_c": 23.9,"flow_m3h": 0,"flow_temperature_c": 24.5,"id": "64745666","media": "water","meter": "hydrus","meter_datetime": "2021-01-23 08:27","name": "HydrusAES","operating_time_h": 14678,"status": "OK","timestamp": "2026-11-23T08:15:00Z","total_at_date_m3": 128.638,"total_m3": 137.291,"total_tariff1_at_date_m3": 0,"total_tariff1_m3": 0,"total_tariff2_at_date_m3": 128.638,"total_tariff2_m3": 137.291}`,
			want:    "sn-z1/water/64745666 received actuality_duration_s=6673 external_temperature_c=23.9 flow_m3h=0 flow_temperature_c=24.5 operating_time_h=14678 total_at_date_m3=128.638 volume_m3=137.291 total_tariff1_at_date_m3=0 total_tariff1_m3=0 total_tariff2_at_date_m3=128.638 total_tariff2_m3=137.291"},
		{name: "topaseskr", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"water","meter":"topaseskr","name":"Witer","id":"78563412","total_m3":481.899,"access_counter":4,"temperature_c":21.1,"current_flow_m3h":0,"volume_year_period_m3":354.259,"reverse_volume_year_period_m3":0,"meter_year_period_start_date":"2019-12-31","volume_month_period_m3":461.287,"meter_month_period_start_datetime":"2020-07-31 23:59","battery_y":11.811331,` + at,
			want:    "sn-z1/water/78563412 received volume_m3=481.899 access_counter=4 temperature_c=21.1 flow_m3h=0 volume_year_period_m3=354.259 reverse_volume_year_period_m3=0 volume_month_period_m3=461.287 battery_y=11.811331"},
		{name: "unismart gas", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"gas","meter":"unismart","name":"GasMeter","id":"00043094","fabrication_no":"03162296","status":"STATUS_FLAGS_CF0","other":"OTHER_FLAGS_14","total_date_time":"2021-09-15 13:18","total_m3":917,"target_date_time":"2021-09-01 06:00","target_m3":911.32,"version":"  4GGU","supplier_info":"00","parameter_set":"02","meter_timestamp":"2021-09-15 13:18:30",` + at,
			want:    "sn-z1/fuel/00043094 received volume_m3=917 target_m3=911.32"},
		{name: "kamheat with calculated fields", source: readme, topic: "wmbusmeters/x",
			payload: `{"media":"heat","meter":"kamheat","name":"Heato","id":"55775511","status":"OK","total_energy_consumption_kwh":3781,"total_volume_m3":344.27,"volume_flow_m3h":1.005,"t1_temperature_c":59.53,"t2_temperature_c":52.74,"forward_energy_m3c":21570,"return_energy_m3c":18272,"meter_date":"2022-12-10","target_energy_kwh":2933,"target_volume_m3":267.97,"target_date":"2022-12-01","total_l":344270,"approx_power_m3ch":6.82395,"total_mj":13611.6,"timestamp":"2023-01-14T07:20:22Z","collector":"cm57829"}`,
			want:    "sn-z1/water/55775511 1673680822000 energy_import_kwh=3781 total_volume_m3=344.27 flow_m3h=1.005 t1_temperature_c=59.53 t2_temperature_c=52.74 forward_energy_m3c=21570 return_energy_m3c=18272 target_energy_kwh=2933 target_volume_m3=267.97 total_l=344270 approx_power_m3ch=6.82395 total_kwh=3781"},
		{name: "lansenpu, pulses", source: readme, topic: "wmbusmeters/x",
			payload: `{"media":"other","meter":"lansenpu","name":"Electricity","id":"00010206","status":"POWER_LOW","a_counter":4711,"b_counter":1234,"total_kwh":1471.1,"timestamp":"2023-01-14T07:25:34Z"}`,
			want:    "sn-z1/water/00010206 1673681134000 a_counter=4711 b_counter=1234 total_kwh=1471.1"},
		{name: "lansenth, a room", source: t1, topic: "wmbusmeters/x",
			payload: `{"media":"room sensor","meter":"lansenth","name":"Tempoo","id":"00010203","status":"PERMANENT_ERROR SABOTAGE_ENCLOSURE","current_temperature_c":21.8,"current_relative_humidity_rh":43,"average_temperature_1h_c":21.79,"average_relative_humidity_1h_rh":43,` + at,
			want:    "sn-z1/water/00010203 received current_temperature_c=21.8 current_relative_humidity_pct=43 average_temperature_1h_c=21.79 average_relative_humidity_1h_pct=43"},
	})
}

func TestWmbusmetersVariants(t *testing.T) {
	const at = `"timestamp":"2026-11-23T08:15:00Z"}`
	testProfile(t, wmbusSource, []profileTest{
		{name: "other units", topic: "wmbusmeters/x",
			payload: `{"_":"telegram","media":"water","name":"u","id":"1","volume_flow_lh":1200,"supply_temperature_f":50,"line_pressure_pa":250000,"kelvin_k":288.15,"energy_gj":3.6,` + at,
			want:    "sn-z1/water/1 received flow_m3h=1.2 supply_temperature_c=10 line_pressure_bar=2.5 kelvin_c=15 energy_kwh=1000"},
		{name: "null", topic: "wmbusmeters/x", payload: `{"media":"water","id":"7","total_m3":1,"sum_m3":null,` + at, want: "sn-z1/water/7 received volume_m3=1"},
		{name: "production by tariff", topic: "wmbusmeters/x", payload: `{"media":"electricity","id":"7","total_energy_production_tariff_1_kwh":5,"total_energy_production_tariff2_kwh":6,` + at, want: "sn-z1/electricity/7 received energy_export_t1_kwh=5 energy_export_t2_kwh=6"},
		{name: "the id twice", topic: "wmbusmeters/x", payload: `{"media":"water","id":"7","id":"8","total_m3":1,` + at, want: "!duplicate_key"},
		{name: "time as a number", topic: "wmbusmeters/x", payload: `{"media":"water","id":"7","total_m3":1,"timestamp_ut":1673681134}`, want: "sn-z1/water/7 1673681134000 volume_m3=1"},
		{name: "no timestamp", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","id":"7","total_m3":1}`, want: "sn-z1/water/7 received volume_m3=1"},
		{name: "no id", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","total_m3":1,` + at, want: "!bad_name"},
		{name: "only words", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","id":"7","status":"OK",` + at, want: "!no_values"},
	})
}

// The traps of DOMAIN.md.

func TestWmbusmetersTrapLeadingZeros(t *testing.T) {
	testProfile(t, wmbusSource, []profileTest{
		{name: "zeros", topic: "wmbusmeters/x", payload: `{"media":"water","id":"00012345","total_m3":1}`, want: "sn-z1/water/00012345 received volume_m3=1"},
		{name: "only zeros", topic: "wmbusmeters/x", payload: `{"media":"water","id":"00000000","total_m3":1}`, want: "sn-z1/water/00000000 received volume_m3=1"},
	})
}

func TestWmbusmetersTrapExtraKey(t *testing.T) {
	testProfile(t, wmbusSource, []profileTest{
		{name: "with", topic: "wmbusmeters/x", payload: `{"_":"telegram","media":"water","id":"1","total_m3":1}`, want: "sn-z1/water/1 received volume_m3=1"},
		{name: "without", topic: "wmbusmeters/x", payload: `{"media":"water","id":"1","total_m3":1}`, want: "sn-z1/water/1 received volume_m3=1"},
	})
}

// timestamp is UTC, whatever the source's time zone.
func TestWmbusmetersTrapUTC(t *testing.T) {
	source := wmbusSource
	source.Timezone = "Asia/Damascus"
	testProfile(t, source, []profileTest{
		{name: "UTC", topic: "wmbusmeters/x", payload: `{"media":"water","id":"1","total_m3":1,"timestamp":"2023-01-14T07:20:22Z"}`, want: "sn-z1/water/1 1673680822000 volume_m3=1"},
	})
}

func TestWmbusmetersUtilityOfTheSource(t *testing.T) {
	source := wmbusSource
	source.Utility = "electricity"
	testProfile(t, source, []profileTest{
		{name: "pulses", topic: "wmbusmeters/x", payload: `{"media":"other","id":"7","total_energy_consumption_kwh":1}`, want: "sn-z1/electricity/7 received energy_import_kwh=1"},
	})
}
