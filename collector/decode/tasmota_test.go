package decode_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

var tasmotaSource = decode.Source{
	Name: "plugs", Topics: []string{"tele/+/#", "stat/+/#", "{zone}/+/tele/SENSOR"}[:2], Profile: "tasmota", Zone: "sn-z1",
}

// Payloads as published by devices, after the examples of
// https://tasmota.github.io/docs/ (MQTT, Commands, Smart-Meter-Interface) and
// users' logs of them.
func TestTasmota(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "plug", topic: "tele/sonoff_desk/SENSOR",
			payload: `{"Time":"2023-05-19T20:52:56","ENERGY":{"TotalStartTime":"2022-03-20T15:20:48","Total":514.153,"Yesterday":1.495,"Today":0.537,"Period":0,"Power":56,"ApparentPower":92,"ReactivePower":73,"Factor":0.61,"Voltage":234,"Current":0.392}}`,
			want:    "sn-z1/electricity/sonoff_desk 1684518776000 energy_import_kwh=514.153 energy_yesterday_kwh=1.495 energy_today_kwh=0.537 energy_period_kwh=0 active_power_kw=0.056 apparent_power_kva=0.092 reactive_power_kvar=0.073 power_factor=0.61 voltage_l1_v=234 current_l1_a=0.392"},
		{name: "switch and meter", topic: "tele/x/SENSOR",
			payload: `{"Time":"2023-04-04T17:01:33","Switch1":"ON","ENERGY":{"TotalStartTime":"2020-01-05T12:41:22","Total":14.68792,"Yesterday":0.00001,"Today":0.00869,"Period":1,"Power":32,"ApparentPower":35,"ReactivePower":16,"Factor":0.89,"Voltage":238,"Current":0.148}}`,
			want:    "sn-z1/electricity/x 1680616893000 switch1=1 energy_import_kwh=14.68792 energy_yesterday_kwh=1e-05 energy_today_kwh=0.00869 energy_period_kwh=0.001 active_power_kw=0.032 apparent_power_kva=0.035 reactive_power_kvar=0.016 power_factor=0.89 voltage_l1_v=238 current_l1_a=0.148"},
		{name: "degrees Fahrenheit", topic: "tele/shellyB/SENSOR",
			payload: `{"Time":"2026-08-30T10:15:00","Switch1":"OFF","Switch2":"OFF","ANALOG":{"Temperature":100.4},"ENERGY":{"TotalStartTime":"2019-07-25T22:29:23","Total":0.586,"Power":0},"TempUnit":"F"}`,
			want:    "sn-z1/electricity/shellyB 1788074100000 switch1=0 switch2=0 analog_temperature_c=38 energy_import_kwh=0.586 active_power_kw=0"},
		{name: "status 8", topic: "stat/pow/STATUS8",
			payload: `{"StatusSNS":{"Time":"2020-06-29T22:22:24","ENERGY":{"TotalStartTime":"2020-06-24T09:25:29","Total":41.573,"Yesterday":6.147,"Today":8.286,"Power":2,"ApparentPower":22,"ReactivePower":21,"Factor":0.08,"Voltage":230,"Current":0.094}}}`,
			want:    "sn-z1/electricity/pow 1593458544000 energy_import_kwh=41.573 energy_yesterday_kwh=6.147 energy_today_kwh=8.286 active_power_kw=0.002 apparent_power_kva=0.022 reactive_power_kvar=0.021 power_factor=0.08 voltage_l1_v=230 current_l1_a=0.094"},
		{name: "two channels", topic: "tele/tasmota/SENSOR",
			payload: `{"Time":"2026-09-18T11:19:21","ENERGY":{"TotalStartTime":"2026-09-16T00:00:00","Total":[2.5,0.25],"Yesterday":[1.5,0.125],"Power":[52,5],"ApparentPower":[66,10],"Factor":[0.79,0.50],"Voltage":235,"Current":[0.278,0.044],"BL09XX":{"Temperature":46.5}}}`,
			want:    "sn-z1/electricity/tasmota 1789719561000 energy_import_l1_kwh=2.5 energy_import_kwh=2.75 energy_import_l2_kwh=0.25 energy_yesterday_l1_kwh=1.5 energy_yesterday_kwh=1.625 energy_yesterday_l2_kwh=0.125 active_power_l1_kw=0.052 active_power_kw=0.057 active_power_l2_kw=0.005 apparent_power_l1_kva=0.066 apparent_power_kva=0.076 apparent_power_l2_kva=0.01 power_factor_l1=0.79 power_factor_l2=0.5 voltage_l1_v=235 current_l1_a=0.278 current_l2_a=0.044 energy_bl09xx_temperature=46.5"},
		{name: "three phases", topic: "tele/em3/SENSOR",
			payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"TotalStartTime":"2020-01-01T00:00:00","Total":1000,"Power":[1000,2000,3000],"Factor":[0.99,0.98,0.97],"Frequency":50,"Voltage":[229,230,231],"Current":[4.4,8.9,13.4],"ExportActive":12.5}}`,
			want:    "sn-z1/electricity/em3 received energy_import_kwh=1000 active_power_l1_kw=1 active_power_kw=6 active_power_l2_kw=2 active_power_l3_kw=3 power_factor_l1=0.99 power_factor_l2=0.98 power_factor_l3=0.97 frequency_hz=50 voltage_l1_v=229 voltage_l2_v=230 voltage_l3_v=231 current_l1_a=4.4 current_l2_a=8.9 current_l3_a=13.4 energy_export_kwh=12.5"},
		{name: "old firmware without a start", topic: "tele/p/SENSOR",
			payload: `{"Time":"2018-10-14T21:57:33","ENERGY":{"Total":0.006,"Yesterday":0.000,"Today":0.006,"Power":5,"Factor":0.10,"Voltage":214,"Current":0.241}}`,
			want:    "sn-z1/electricity/p 1539543453000 energy_import_kwh=0.006 energy_yesterday_kwh=0 energy_today_kwh=0.006 active_power_kw=0.005 power_factor=0.1 voltage_l1_v=214 current_l1_a=0.241"},
		{name: "smart meter interface", topic: "tele/sml/SENSOR",
			payload: `{"Time":"2026-11-23T11:15:00","SML":{"Total_in":1234.5,"Power_curr":-210,"Meter_Number":"0a01"}}`,
			want:    "sn-z1/electricity/sml received sml_total_in=1234.5 sml_power_curr=-210"},
		{name: "sensor with pressure", topic: "tele/bme/SENSOR",
			payload: `{"Time":"2026-11-23T11:15:00","BME280":{"Temperature":20.5,"Humidity":43.7,"DewPoint":7.7,"Pressure":990.1},"PressureUnit":"hPa","TempUnit":"C"}`,
			want:    "sn-z1/electricity/bme received bme280_temperature_c=20.5 bme280_humidity=43.7 bme280_dewpoint=7.7 bme280_pressure_bar=0.9901"},
		{name: "state", topic: "tele/p/STATE",
			payload: `{"Time":"2026-11-23T11:15:00","Uptime":"48T19:42:51","UptimeSec":4218171,"Heap":14,"SleepMode":"Dynamic","POWER1":"OFF","Wifi":{"AP":1,"SSId":"x","RSSI":42,"Signal":-79}}`,
			want:    "sn-z1/electricity/p received uptimesec=4218171 heap=14 power1=0 wifi_ap=1 wifi_rssi=42 wifi_signal=-79"},
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

// The trap of DOMAIN.md: Time is local and names no zone.
func TestTasmotaTimeIsLocal(t *testing.T) {
	source := tasmotaSource
	source.Timezone = "Europe/Berlin" // UTC+1 in winter, +2 in summer
	testProfile(t, source, []profileTest{
		{name: "winter", topic: "tele/p/SENSOR", payload: `{"Time":"2026-01-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1768474800000 active_power_kw=0"},
		{name: "summer", topic: "tele/p/SENSOR", payload: `{"Time":"2026-07-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1784109600000 active_power_kw=0"},
		{name: "with a zone after all", topic: "tele/p/SENSOR", payload: `{"Time":"2026-07-15T12:00:00Z","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1784116800000 active_power_kw=0"},
	})
}

// Damascus had summer time until October 2022 and is at UTC+3 since.
func TestTasmotaTimeInDamascus(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "winter 2021", topic: "tele/p/SENSOR", payload: `{"Time":"2021-01-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1610704800000 active_power_kw=0"},
		{name: "winter 2026", topic: "tele/p/SENSOR", payload: `{"Time":"2026-01-15T12:00:00","ENERGY":{"Power":0}}`, want: "sn-z1/electricity/p 1768467600000 active_power_kw=0"},
	})
}

// The trap of DOMAIN.md: the last will is no reading.
func TestTasmotaLWT(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "online", topic: "tele/p/LWT", payload: "Online", retained: true, want: "control"},
		{name: "offline", topic: "tele/p/LWT", payload: "Offline", retained: true, want: "control"},
	})
}

// The trap of DOMAIN.md: STATUS10 nests what SENSOR has at the top.
func TestTasmotaStatusNests(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "status 10", topic: "stat/p/STATUS10", payload: `{"StatusSNS":{"Time":"2024-06-26T16:19:59","ENERGY":{"Total":167.743,"Power":3}}}`, want: "sn-z1/electricity/p 1719407999000 energy_import_kwh=167.743 active_power_kw=0.003"},
	})
}

// The trap of DOMAIN.md: phases are arrays, and a city needs the sum.
func TestTasmotaPhasesAreArrays(t *testing.T) {
	testProfile(t, tasmotaSource, []profileTest{
		{name: "sum", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":[100,200,300],"Voltage":[229,230,231]}}`, want: "sn-z1/electricity/p received active_power_l1_kw=0.1 active_power_kw=0.6 active_power_l2_kw=0.2 active_power_l3_kw=0.3 voltage_l1_v=229 voltage_l2_v=230 voltage_l3_v=231"},
		{name: "one phase", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":[100]}}`, want: "sn-z1/electricity/p received active_power_l1_kw=0.1 active_power_kw=0.1"},
		{name: "a phase without a value", topic: "tele/p/SENSOR", payload: `{"Time":"2026-11-23T11:15:00","ENERGY":{"Power":[100,null,300]}}`, want: "sn-z1/electricity/p received active_power_l1_kw=0.1 active_power_kw=0.4 active_power_l3_kw=0.3"},
	})
}

// The trap of DOMAIN.md: energy is in kWh, but power in W and Period in Wh.
func TestTasmotaEnergyIsInKWh(t *testing.T) {
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
