// Command bench measures the whole service against what it could do at best, on real processes: the service that is
// built from this checkout, Mosquitto, InfluxDB 1.8.3, and children of its own.
//
//	                    ┌─ A: imdad run ──► sink (counts lines, answers 204), or InfluxDB
//	Mosquitto ──MQTT──►─┤      │ fsync
//	 prefilled session  │      ▼
//	 or live meters     │    data folder on a real disk
//	                    └─ B: bare: a paho client on the same transport that only counts
//
// # The rule of time and cost
//
// Both sides are measured in the same way. The server that they read from (or write to) is frozen with SIGSTOP while the
// side under test starts; its request waits in the frozen server's socket. The measured time begins when the server is
// let go, so that connecting belongs to no side's time in full and to both in part, and it ends when the side itself
// tells over HTTP that all messages are done: for the service, committed to disk and acknowledged; for the bare client,
// counted. The question is asked seldom at first and every 5 ms at the end. CPU is user and system time of the side's
// process between the same moments; that of the service is taken a second time when the sink has everything, and that
// figure is the one judged. Memory is the process's peak since its birth (VmHWM), mapped files included.
//
// Sides are alternated, A B A B …, each run on an identical copy of the session, and compared pair by pair: the machine's
// mood changes slower than that.
//
// # Parts
//
//	speed    throughput, CPU and memory against the bare client, with an in-flight window of 20 and of 1000
//	influx   readings/s into InfluxDB against a loop that posts the same batches
//	scrape   time of /metrics and /metrics/meters at 100,000 registers
//	memory   100,000 meters
//	growth   10,000, 40,000 and 160,000 meters
//	cycle    a cycle of alerting at 10,000, 40,000 and 100,000 meters, in this process
//	latency  from the reading that decides an alarm to its notices, with 10,000 meters every 5 s
//	outage   10 million readings spooled, then drained while others arrive
package main
