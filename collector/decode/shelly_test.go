package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/meter"
)

var shellySource = decode.Source{Name: "shelly", Topics: []string{"+/events/rpc", "+/status/#", "+/online"}, Profile: "shelly", Zone: "sn-z1"}

func TestShelly(t *testing.T) {
	const (
		docs   = "https://shelly-api-docs.shelly.cloud/gen2/"
		notify = docs + "General/Notifications"
		parts  = docs + "ComponentsAndServices/"
		eddie  = "https://github.com/eddie-energy/eddie/tree/main/aiida"
	)
	testDocumented(t, shellySource, []profileTest{
		{name: "a switch by its button", source: notify, topic: "shellypro4pm-f008d1d8b8b8/events/rpc",
			payload: `{"src":"shellypro4pm-f008d1d8b8b8","dst":"user_1","method":"NotifyStatus","params":{"ts":1631186545.04,"switch:0":{"id":0,"output":true,"source":"button"}}}`,
			want:    "sn-z1/electricity/shellypro4pm-f008d1d8b8b8 1631186545040 partial output=1"},
		{name: "the cloud is lost", source: notify, topic: "shellypro4pm-f008d1d8b8b8/events/rpc",
			payload: `{"src":"shellypro4pm-f008d1d8b8b8","dst":"user_1","method":"NotifyStatus","params":{"ts":1624348482.25,"cloud":{"connected":false}}}`,
			want:    "sn-z1/electricity/shellypro4pm-f008d1d8b8b8 1624348482250 partial cloud_connected=0"},
		{name: "EM", source: parts + "EM", topic: "shellypro3em-x/status/em:0",
			payload: `{"id":0,"a_current":4.029,"a_voltage":236.1,"a_act_power":951.2,"a_aprt_power":951.9,"a_pf":1,"a_freq":50,"b_current":4.027,"b_voltage":236.201,"b_act_power":-951.1,"b_aprt_power":951.8,"b_pf":1,"b_freq":50,"c_current":3.03,"c_voltage":236.402,"c_active_power":715.4,"c_aprt_power":716.2,"c_pf":1,"c_freq":50,"n_current":11.029,"total_current":11.083,"total_act_power":2484.782,"total_aprt_power":2486.7,"user_calibrated_phase":[],"errors":["phase_sequence"]}`,
			want:    "sn-z1/electricity/shellypro3em-x received partial current_l1_a=4.029 voltage_l1_v=236.1 active_power_l1_kw=0.9512 apparent_power_l1_kva=0.9519 power_factor_l1=1 frequency_hz=50 current_l2_a=4.027 voltage_l2_v=236.201 active_power_l2_kw=-0.9511 apparent_power_l2_kva=0.9518 power_factor_l2=1 frequency_l2_hz=50 current_l3_a=3.03 voltage_l3_v=236.402 active_power_l3_kw=0.7154 apparent_power_l3_kva=0.7162 power_factor_l3=1 frequency_l3_hz=50 current_n_a=11.029 current_total_a=11.083 active_power_kw=2.484782 apparent_power_kva=2.4867"},
		{name: "EM, notices without a neutral", source: "https://github.com/iobroker-community-adapters/ioBroker.shelly/issues/787", topic: "d/status/em:0",
			payload: `{"id":0,"a_act_power":2403.7,"a_aprt_power":2503.5,"a_current":10.739,"a_pf":0.96,"a_voltage":233.3,"b_act_power":409.1,"b_aprt_power":443.1,"b_current":1.872,"b_pf":-0.93,"b_voltage":236.7,"c_act_power":235.3,"c_aprt_power":270.4,"c_current":1.143,"c_pf":-0.87,"c_voltage":236.9,"n_current":null,"total_act_power":3048.104,"total_aprt_power":3217.036,"total_current":13.753}`,
			want:    "sn-z1/electricity/d received partial active_power_l1_kw=2.4037 apparent_power_l1_kva=2.5035 current_l1_a=10.739 power_factor_l1=0.96 voltage_l1_v=233.3 active_power_l2_kw=0.4091 apparent_power_l2_kva=0.4431 current_l2_a=1.872 power_factor_l2=-0.93 voltage_l2_v=236.7 active_power_l3_kw=0.2353 apparent_power_l3_kva=0.2704 current_l3_a=1.143 power_factor_l3=-0.87 voltage_l3_v=236.9 active_power_kw=3.048104 apparent_power_kva=3.217036 current_total_a=13.753"},
		{name: "EMData", source: eddie, topic: "d/events/rpc",
			payload: `{"src":"shellypro3em-1234567890ab","dst":"d/events","method":"NotifyStatus","params":{"ts":1757060280.21,"emdata:0":{"id":0,"a_total_act_energy":0.06,"a_total_act_ret_energy":0,"b_total_act_energy":0.06,"b_total_act_ret_energy":0.01,"c_total_act_energy":26289.44,"c_total_act_ret_energy":131881.85,"total_act":26289.57,"total_act_ret":131881.86}}}`,
			want:    "sn-z1/electricity/d 1757060280210 partial energy_import_l1_kwh=6e-05 energy_export_l1_kwh=0 energy_import_l2_kwh=6e-05 energy_export_l2_kwh=1e-05 energy_import_l3_kwh=26.28944 energy_export_l3_kwh=131.88185 energy_import_kwh=26.28957 energy_export_kwh=131.88186"},
		{name: "EM1", source: eddie, topic: "d/events/rpc",
			payload: `{"src":"shellypro3em-1234567890ab","dst":"d/events","method":"NotifyStatus","params":{"ts":1757059829.08,"em1:2":{"id":0,"act_power":0,"aprt_power":0,"current":0.027,"freq":198,"pf":1,"voltage":0}}}`,
			want:    "sn-z1/electricity/d:2 1757059829080 partial active_power_kw=0 apparent_power_kva=0 current_l1_a=0.027 frequency_hz=198 power_factor=1 voltage_l1_v=0"},
		{name: "EM1Data", source: eddie, topic: "d/events/rpc",
			payload: `{"src":"shellypro3em-1234567890ab","dst":"d/events","method":"NotifyStatus","params":{"ts":1757060280.21,"em1data:1":{"id":0,"total_act_energy":0.06,"total_act_ret_energy":0}}}`,
			want:    "sn-z1/electricity/d:1 1757060280210 partial energy_import_kwh=6e-05 energy_export_kwh=0"},
		{name: "EM1 status of a 3EM-63", source: "https://github.com/iobroker-community-adapters/ioBroker.shelly/issues/1540", topic: "shelly3em63g3-48f6eead1a8c/status/em1:2",
			payload: `{"id":2,"current":1.246,"voltage":228.5,"act_power":219.4,"aprt_power":284.8,"pf":0.77,"freq":50.0,"calibration":"factory"}`,
			want:    "sn-z1/electricity/shelly3em63g3-48f6eead1a8c:2 received partial current_l1_a=1.246 voltage_l1_v=228.5 active_power_kw=0.2194 apparent_power_kva=0.2848 power_factor=0.77 frequency_hz=50"},
		{name: "two EM1", source: "https://github.com/Jan200101/ShellyPy/issues/20", topic: "shellyproem50-x/events/rpc",
			payload: `{"src":"shellyproem50-x","dst":"m","method":"NotifyStatus","params":{"ts":1788820998,"em1:0":{"id":0,"current":0.08,"voltage":234.9,"act_power":0,"aprt_power":18.7,"pf":0,"freq":50,"calibration":"factory"},"em1:1":{"id":1,"current":2.598,"voltage":234.9,"act_power":501.8,"aprt_power":612.4,"pf":0.84,"freq":50,"calibration":"factory"}}}`,
			want:    "sn-z1/electricity/shellyproem50-x 1788820998000 partial current_l1_a=0.08 voltage_l1_v=234.9 active_power_kw=0 apparent_power_kva=0.0187 power_factor=0 frequency_hz=50\nsn-z1/electricity/shellyproem50-x:1 1788820998000 partial current_l1_a=2.598 voltage_l1_v=234.9 active_power_kw=0.5018 apparent_power_kva=0.6124 power_factor=0.84 frequency_hz=50"},
		{name: "all of a Pro EM-50", source: "https://github.com/evcc-io/evcc/issues/12252", topic: "em50/events/rpc",
			payload: `{"src":"em50","dst":"em50/events","method":"NotifyFullStatus","params":{"ts":1707932870.12,"ble":{},"cloud":{"connected":false},"em1:0":{"id":0,"current":0.020,"voltage":221.3,"act_power":0.0,"aprt_power":4.5,"pf":0.00, "freq":50.0,"calibration":"factory"},"em1:1":{"id":1,"current":30.665,"voltage":221.4,"act_power":6769.3,"aprt_power":6823.1,"pf":0.99, "freq":50.0,"calibration":"factory"},"em1data:0":{"id":0,"total_act_energy":0.00,"total_act_ret_energy":0.00},"em1data:1":{"id":1,"total_act_energy":9671.54,"total_act_ret_energy":2595.26},"eth":{"ip":null},"modbus":{},"mqtt":{"connected":true},"switch:0":{"id":0, "source":"HTTP_in", "output":true,"temperature":{"tC":31.6, "tF":88.8}},"sys":{"mac":"08F9E0E67204","restart_required":false,"time":"18:47","unixtime":1707932870,"uptime":30877,"ram_size":241888,"ram_free":116776,"fs_size":524288,"fs_free":208896,"cfg_rev":20,"kvs_rev":0,"schedule_rev":0,"webhook_rev":0,"available_updates":{"stable":{"version":"1.2.0"}},"reset_reason":3},"wifi":{"sta_ip":"192.168.8.9","status":"got ip","ssid":"K1","rssi":-61},"ws":{"connected":false}}}`,
			want:    "sn-z1/electricity/em50 1707932870120 cloud_connected=0 current_l1_a=0.02 voltage_l1_v=221.3 active_power_kw=0 apparent_power_kva=0.0045 power_factor=0 frequency_hz=50 energy_import_kwh=0 energy_export_kwh=0 mqtt_connected=1 output=1 temperature_c=31.6 switch_temperature_tf=88.8 sys_restart_required=0 sys_unixtime=1707932870 sys_uptime=30877 sys_ram_size=241888 sys_ram_free=116776 sys_fs_size=524288 sys_fs_free=208896 sys_cfg_rev=20 sys_kvs_rev=0 sys_schedule_rev=0 sys_webhook_rev=0 sys_reset_reason=3 wifi_rssi=-61 ws_connected=0\nsn-z1/electricity/em50:1 1707932870120 current_l1_a=30.665 voltage_l1_v=221.4 active_power_kw=6.7693 apparent_power_kva=6.8231 power_factor=0.99 frequency_hz=50 energy_import_kwh=9.67154 energy_export_kwh=2.59526"},
		{name: "PM1 of a PM Mini", source: "https://github.com/evcc-io/evcc/tree/master/meter/shelly", topic: "pm/status/pm1:0",
			payload: `{"id":0, "voltage":239.9, "current":7.434, "apower":1780.1 ,"freq":50.1,"aenergy":{"total":3551.682,"by_minute":[15234.772,29611.247,29825.821],"minute_ts":1719917850},"ret_aenergy":{"total":0.000,"by_minute":[0.000,0.000,0.000],"minute_ts":1719917850}}`,
			want:    "sn-z1/electricity/pm received partial voltage_l1_v=239.9 current_l1_a=7.434 active_power_kw=1.7801 frequency_hz=50.1 energy_import_kwh=3.551682 pm1_aenergy_by_minute_0_kwh=0.015234772 pm1_aenergy_by_minute_1_kwh=0.029611247 pm1_aenergy_by_minute_2_kwh=0.029825821 pm1_aenergy_minute_ts=1719917850 energy_export_kwh=0 pm1_ret_aenergy_by_minute_0_kwh=0 pm1_ret_aenergy_by_minute_1_kwh=0 pm1_ret_aenergy_by_minute_2_kwh=0 pm1_ret_aenergy_minute_ts=1719917850"},
		{name: "Switch", source: parts + "Switch", topic: "plug/status/switch:0",
			payload: `{"id":0,"source":"init","output":true,"apower":523.4,"voltage":223.5,"freq":50.05,"current":2.345,"aenergy":{"total":15234.567,"by_minute":[523.4,520.1,518.3],"minute_ts":1707232800},"ret_aenergy":{"total":0.5},"temperature":{"tC":42.5,"tF":108.5}}`,
			want:    "sn-z1/electricity/plug received partial output=1 active_power_kw=0.5234 voltage_l1_v=223.5 frequency_hz=50.05 current_l1_a=2.345 energy_import_kwh=15.234567 switch_aenergy_by_minute_0_kwh=0.0005234 switch_aenergy_by_minute_1_kwh=0.0005201 switch_aenergy_by_minute_2_kwh=0.0005183 switch_aenergy_minute_ts=1707232800 energy_export_kwh=0.0005 temperature_c=42.5 switch_temperature_tf=108.5"},
		{name: "Plus 2PM", source: "https://github.com/jbasen/Crestron-Shelly/issues/36", topic: "plus2pm/status/switch:0",
			payload: `{"id":0, "source":"init", "output":false,"temperature":{"tC":40.3, "tF":104.6}}`,
			want:    "sn-z1/electricity/plus2pm received partial output=0 temperature_c=40.3 switch_temperature_tf=104.6"},
	})
}

func TestShellyVariants(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "EM1 notice", topic: "shellyemg3/events/rpc",
			payload: `{"src":"shellyemg3-dcb4d9c564f4","dst":"shellyemg3/events","method":"NotifyStatus","params":{"ts":1788820998.37,"em1:0":{"id":0,"current":16.714,"act_power":-1899.8,"voltage":117.6}}}`,
			want:    "sn-z1/electricity/shellyemg3 1788820998370 partial current_l1_a=16.714 active_power_kw=-1.8998 voltage_l1_v=117.6"},
		{name: "switch energy", topic: "shelly1/events/rpc",
			payload: `{"src":"shellypro4pm-30c6f784e78c","dst":"shelly1/events","method":"NotifyStatus","params":{"ts":1675935540.54,"switch:3":{"id":3,"aenergy":{"by_minute":[0.000,1.500,0.000],"minute_ts":1675935539,"total":12345.678}}}}`,
			want:    "sn-z1/electricity/shelly1:3 1675935540540 partial switch_aenergy_by_minute_0_kwh=0 switch_aenergy_by_minute_1_kwh=1.5e-06 switch_aenergy_by_minute_2_kwh=0 switch_aenergy_minute_ts=1675935539 energy_import_kwh=12.345678"},
		{name: "an add-on", topic: "d/events/rpc",
			payload: `{"method":"NotifyStatus","params":{"ts":1675935540.5,"temperature:100":{"id":100,"tC":23.5,"tF":74.3},"humidity:100":{"id":100,"rh":45.5},"voltmeter:100":{"id":100,"voltage":4.321,"xvoltage":null},"input:2":{"id":2,"percent":12.5},"input:3":{"id":3,"counts":{"total":1234,"by_minute":[1,2,3],"minute_ts":1675935539},"freq":0.5},"input:0":{"id":0,"state":true},"devicepower:0":{"id":0,"battery":{"V":5.3,"percent":90},"external":{"present":false}}}}`,
			want:    "sn-z1/electricity/d 1675935540500 partial temperature_100_c=23.5 temperature_100_tf=74.3 humidity_100_pct=45.5 voltmeter_100_v=4.321 input_2_pct=12.5 input_3_counts_total=1234 input_3_counts_by_minute_0=1 input_3_counts_by_minute_1=2 input_3_counts_by_minute_2=3 input_3_counts_minute_ts=1675935539 input_3_hz=0.5 input_0_state=1 devicepower_0_v=5.3 devicepower_0_battery_percent=90 devicepower_0_external_present=0"},
		{name: "an event", topic: "d/events/rpc", payload: `{"src":"d","dst":"d/events","method":"NotifyEvent","params":{"ts":1736605194.11,"events":[{"component":"input:0","id":0,"event":"btn_down","ts":1736605194.11}]}}`, want: "control"},
		{name: "only words", topic: "d/events/rpc", payload: `{"src":"d","method":"NotifyStatus","params":{"ts":1.61,"mqtt":{"state":"on"}}}`, want: "control"},
		{name: "broken", topic: "d/status/em:0", payload: `{"id":0,`, want: "!bad_json"},
		{name: "status, retained", topic: "d/status/em:0", payload: `{"id":0,"total_act_power":1}`, retained: true, want: "ignored"},
		{name: "clock not set", topic: "d/events/rpc", payload: `{"params":{"ts":null,"em:0":{"total_act_power":1}}}`, want: "sn-z1/electricity/d received partial active_power_kw=0.001"},
	})
}

// The traps of DOMAIN.md.

func TestShellyTrapFractionOfSeconds(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "hundredths", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985.86,"em:0":{"total_act_power":1}}}`, want: "sn-z1/electricity/d 1675072985860 partial active_power_kw=0.001"},
		{name: "whole", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985,"em:0":{"total_act_power":1}}}`, want: "sn-z1/electricity/d 1675072985000 partial active_power_kw=0.001"},
	})
}

func TestShellyTrapPartialDeltas(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "one phase changed", topic: "d/events/rpc", payload: `{"method":"NotifyStatus","params":{"ts":1675072985,"em:0":{"id":0,"b_act_power":250.5}}}`, want: "sn-z1/electricity/d 1675072985000 partial active_power_l2_kw=0.2505"},
		{name: "everything", topic: "d/events/rpc", payload: `{"method":"NotifyFullStatus","params":{"ts":1675072985,"em:0":{"id":0,"b_act_power":250.5}}}`, want: "sn-z1/electricity/d 1675072985000 active_power_l2_kw=0.2505"},
		{name: "everything, the method last", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985,"em:0":{"id":0,"b_act_power":250.5}},"method":"NotifyFullStatus"}`, want: "sn-z1/electricity/d 1675072985000 active_power_l2_kw=0.2505"},
		{name: "one component", topic: "d/status/em:0", payload: `{"id":0,"b_act_power":250.5}`, want: "sn-z1/electricity/d received partial active_power_l2_kw=0.2505"},
	})
}

func TestShellyTrapWh(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "total", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985,"emdata:0":{"total_act":1234567.89}}}`, want: "sn-z1/electricity/d 1675072985000 partial energy_import_kwh=1234.56789"},
		{name: "apparent power of PM1", topic: "d/status/pm1:0", payload: `{"aprtpower":230}`, want: "sn-z1/electricity/d received partial apparent_power_kva=0.23"},
		{name: "minutes in mWh", topic: "d/status/pm1:0", payload: `{"aenergy":{"by_minute":[15234.772]}}`, want: "sn-z1/electricity/d received partial pm1_aenergy_by_minute_0_kwh=0.015234772"},
	})
}

func TestShellyTrapNullCurrents(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "neutral", topic: "d/status/em:0", payload: `{"id":0,"n_current":null,"total_current":0.094}`, want: "sn-z1/electricity/d received partial current_total_a=0.094"},
		{name: "all null", topic: "d/status/em:0", payload: `{"id":0,"n_current":null}`, want: "control"},
	})
}

// A device that is gone takes all of its channels along.
func TestShellyOnline(t *testing.T) {
	t.Parallel()
	d := decode.New([]decode.Source{shellySource}, meter.NewCatalog(10))
	for _, step := range []struct{ topic, payload, want string }{
		{"d/status/switch:0", `{"apower":1}`, "sn-z1/electricity/d received partial active_power_kw=0.001"},
		{"d/status/switch:1", `{"apower":1}`, "sn-z1/electricity/d:1 received partial active_power_kw=0.001"},
		{"d/online", "true", "control"},
		{"d/online", "false", "control d d:1"},
	} {
		if got := read(d, decode.Message{Topic: step.topic, Payload: []byte(step.payload), Received: arrived}); got != step.want {
			t.Errorf("%s %s: got %s, want %s", step.topic, step.payload, got, step.want)
		}
	}
}
