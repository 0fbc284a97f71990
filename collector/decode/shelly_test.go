package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var shellySource = decode.Source{Name: "shelly", Topics: []string{"+/events/rpc", "+/status/#", "+/online"}, Profile: "shelly", Zone: "sn-z1"}

// Payloads after the examples of https://shelly-api-docs.shelly.cloud/gen2/
// (ComponentsAndServices EM, EMData, EM1, EM1Data, PM1, Switch; General
// Notifications) and notices that users have published.
func TestShelly(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "EM status", topic: "shellypro3em-x/status/em:0",
			payload: `{"id":0,"a_current":4.029,"a_voltage":236.1,"a_act_power":951.2,"a_aprt_power":951.9,"a_pf":1,"a_freq":50,"b_current":4.027,"b_voltage":236.201,"b_act_power":-951.1,"b_aprt_power":951.8,"b_pf":1,"b_freq":50,"c_current":3.03,"c_voltage":236.402,"c_active_power":715.4,"c_aprt_power":716.2,"c_pf":1,"c_freq":50,"n_current":11.029,"total_current":11.083,"total_act_power":2484.782,"total_aprt_power":2486.7,"user_calibrated_phase":[],"errors":["phase_sequence"]}`,
			want:    "sn-z1/electricity/shellypro3em-x received current_l1_a=4.029 voltage_l1_v=236.1 active_power_l1_kw=0.9512 apparent_power_l1_kva=0.9519 power_factor_l1=1 frequency_hz=50 current_l2_a=4.027 voltage_l2_v=236.201 active_power_l2_kw=-0.9511 apparent_power_l2_kva=0.9518 power_factor_l2=1 frequency_l2_hz=50 current_l3_a=3.03 voltage_l3_v=236.402 active_power_l3_kw=0.7154 apparent_power_l3_kva=0.7162 power_factor_l3=1 frequency_l3_hz=50 current_n_a=11.029 current_total_a=11.083 active_power_kw=2.484782 apparent_power_kva=2.4867"},
		{name: "EMData status", topic: "shellypro3em-x/status/emdata:0",
			payload: `{"id":0,"a_total_act_energy":1105.3,"a_total_act_ret_energy":0,"b_total_act_energy":2210.6,"b_total_act_ret_energy":1.5,"c_total_act_energy":500,"c_total_act_ret_energy":0,"total_act":3815.9,"total_act_ret":1.5}`,
			want:    "sn-z1/electricity/shellypro3em-x received energy_import_l1_kwh=1.1053 energy_export_l1_kwh=0 energy_import_l2_kwh=2.2106 energy_export_l2_kwh=0.0015 energy_import_l3_kwh=0.5 energy_export_l3_kwh=0 energy_import_kwh=3.8159 energy_export_kwh=0.0015"},
		{name: "EM1 notice", topic: "shellyemg3/events/rpc",
			payload: `{"src":"shellyemg3-dcb4d9c564f4","dst":"shellyemg3/events","method":"NotifyStatus","params":{"ts":1788820998.37,"em1:0":{"id":0,"current":16.714,"act_power":-1899.8,"voltage":117.6}}}`,
			want:    "sn-z1/electricity/shellyemg3 1788820998370 current_l1_a=16.714 active_power_kw=-1.8998 voltage_l1_v=117.6"},
		{name: "two EM1", topic: "shellyproem50-x/events/rpc",
			payload: `{"src":"shellyproem50-x","dst":"m","method":"NotifyStatus","params":{"ts":1788820998,"em1:0":{"id":0,"current":0.08,"voltage":234.9,"act_power":0,"aprt_power":18.7,"pf":0,"freq":50,"calibration":"factory"},"em1:1":{"id":1,"current":2.598,"voltage":234.9,"act_power":501.8,"aprt_power":612.4,"pf":0.84,"freq":50,"calibration":"factory"}}}`,
			want: "sn-z1/electricity/shellyproem50-x 1788820998000 current_l1_a=0.08 voltage_l1_v=234.9 active_power_kw=0 apparent_power_kva=0.0187 power_factor=0 frequency_hz=50\n" +
				"sn-z1/electricity/shellyproem50-x:1 1788820998000 current_l1_a=2.598 voltage_l1_v=234.9 active_power_kw=0.5018 apparent_power_kva=0.6124 power_factor=0.84 frequency_hz=50"},
		{name: "EM1Data", topic: "shellyproem50-x/status/em1data:1",
			payload: `{"id":1,"total_act_energy":2776175.11,"total_act_ret_energy":571584.87}`,
			want:    "sn-z1/electricity/shellyproem50-x:1 received energy_import_kwh=2776.17511 energy_export_kwh=571.58487"},
		{name: "switch off", topic: "shelly1/events/rpc",
			payload: `{"src":"shellypro4pm-30c6f784e78c","dst":"shelly1/events","method":"NotifyStatus","params":{"ts":1675072985.86,"switch:1":{"id":1,"apower":0,"current":0,"output":false,"pf":0,"source":"UI"}}}`,
			want:    "sn-z1/electricity/shelly1:1 1675072985860 active_power_kw=0 current_l1_a=0 output=0 power_factor=0"},
		{name: "switch energy", topic: "shelly1/events/rpc",
			payload: `{"src":"shellypro4pm-30c6f784e78c","dst":"shelly1/events","method":"NotifyStatus","params":{"ts":1675935540.54,"switch:3":{"id":3,"aenergy":{"by_minute":[0.000,0.000,0.000],"minute_ts":1675935539,"total":12345.678}}}}`,
			want:    "sn-z1/electricity/shelly1:3 1675935540540 switch_aenergy_by_minute_0=0 switch_aenergy_by_minute_1=0 switch_aenergy_by_minute_2=0 switch_aenergy_minute_ts=1675935539 energy_import_kwh=12.345678"},
		{name: "switch status", topic: "plug/status/switch:0",
			payload: `{"id":0,"source":"init","output":true,"apower":523.4,"voltage":223.5,"freq":50.05,"current":2.345,"aenergy":{"total":15234.567,"by_minute":[523.4,520.1,518.3],"minute_ts":1707232800},"ret_aenergy":{"total":0.5},"temperature":{"tC":42.5,"tF":108.5}}`,
			want:    "sn-z1/electricity/plug received output=1 active_power_kw=0.5234 voltage_l1_v=223.5 frequency_hz=50.05 current_l1_a=2.345 energy_import_kwh=15.234567 switch_aenergy_by_minute_0=523.4 switch_aenergy_by_minute_1=520.1 switch_aenergy_by_minute_2=518.3 switch_aenergy_minute_ts=1707232800 energy_export_kwh=0.0005 temperature_c=42.5 switch_temperature_tf=108.5"},
		{name: "PM1", topic: "pm/status/pm1:0",
			payload: `{"id":0,"voltage":230.8,"current":0.053,"apower":4.4,"freq":50,"aenergy":{"total":1.006},"ret_aenergy":{"total":0}}`,
			want:    "sn-z1/electricity/pm received voltage_l1_v=230.8 current_l1_a=0.053 active_power_kw=0.0044 frequency_hz=50 energy_import_kwh=0.001006 energy_export_kwh=0"},
		{name: "counts of a gas meter beside", topic: "d/events/rpc",
			payload: `{"src":"d","method":"NotifyStatus","params":{"ts":1787950200.00,"switch:0":{"counts":{"on_above_thr":510,"on_time":1912440,"switch_on":0}}}}`,
			want:    "sn-z1/electricity/d 1787950200000 switch_counts_on_above_thr=510 switch_counts_on_time=1912440 switch_counts_switch_on=0"},
		{name: "full status", topic: "d/events/rpc",
			payload: `{"src":"d","dst":"d/events","method":"NotifyFullStatus","params":{"ts":1736605194.11,"ble":{},"cloud":{"connected":true},"em:0":{"id":0,"total_act_power":100},"emdata:0":{"id":0,"total_act":5000},"sys":{"mac":"A8","uptime":3600,"available_updates":{}},"temperature:0":{"id":0,"tC":41.5,"tF":106.7},"wifi":{"sta_ip":"10.0.0.2","rssi":-61}}}`,
			want:    "sn-z1/electricity/d 1736605194110 cloud_connected=1 active_power_kw=0.1 energy_import_kwh=5 sys_uptime=3600 temperature_0_c=41.5 temperature_0_tf=106.7 wifi_rssi=-61"},
		{name: "an event", topic: "d/events/rpc", payload: `{"src":"d","dst":"d/events","method":"NotifyEvent","params":{"ts":1736605194.11,"events":[{"component":"input:0","id":0,"event":"btn_down","ts":1736605194.11}]}}`, want: "control"},
		{name: "only words", topic: "d/events/rpc", payload: `{"src":"d","method":"NotifyStatus","params":{"ts":1.61,"mqtt":{"state":"on"}}}`, want: "control"},
		{name: "online", topic: "d/online", payload: "true", retained: true, want: "control"},
		{name: "broken", topic: "d/status/em:0", payload: `{"id":0,`, want: "!bad_json"},
		{name: "status, retained", topic: "d/status/em:0", payload: `{"id":0,"total_act_power":1}`, retained: true, want: "ignored"},
		{name: "clock not set", topic: "d/events/rpc", payload: `{"params":{"ts":null,"em:0":{"total_act_power":1}}}`, want: "sn-z1/electricity/d received active_power_kw=0.001"},
	})
}

// The traps of DOMAIN.md.
func TestShellySecondsHaveAFraction(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "hundredths", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985.86,"em:0":{"total_act_power":1}}}`, want: "sn-z1/electricity/d 1675072985860 active_power_kw=0.001"},
		{name: "whole", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985,"em:0":{"total_act_power":1}}}`, want: "sn-z1/electricity/d 1675072985000 active_power_kw=0.001"},
	})
}

func TestShellyNoticesArePartial(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "one phase changed", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985,"em:0":{"id":0,"b_act_power":250.5}}}`, want: "sn-z1/electricity/d 1675072985000 active_power_l2_kw=0.2505"},
	})
}

func TestShellyEnergyIsInWh(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "total", topic: "d/events/rpc", payload: `{"params":{"ts":1675072985,"emdata:0":{"total_act":1234567.89}}}`, want: "sn-z1/electricity/d 1675072985000 energy_import_kwh=1234.56789"},
	})
}

func TestShellyNullIsNoValue(t *testing.T) {
	testProfile(t, shellySource, []profileTest{
		{name: "neutral", topic: "d/status/em:0", payload: `{"id":0,"n_current":null,"total_current":0.094}`, want: "sn-z1/electricity/d received current_total_a=0.094"},
		{name: "all null", topic: "d/status/em:0", payload: `{"id":0,"n_current":null}`, want: "control"},
	})
}
