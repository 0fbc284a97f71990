// Package console is the face of alerting: the HTTP API with its description,
// and the page behind the signed link in an e-mail.
//
//	/api/v1/alarms …        list, one                           ─► Desk   read.go
//	/api/v1/alarms/{id}/…   acknowledge, shelve, reset, …       ─► Desk   act.go
//	/api/v1/journal         transitions, page by page           ─► Desk   read.go
//	/api/v1/cities/…/stage  the announced stage of rationing    ─► Stages stage.go
//	/api/openapi.json       made from the operations themselves           api.go
//	/acknowledge?token=…    asks first: programs that read mail           page.go
//	                        open links
//
// Who may reach it is for the server to say, with passwords (http.web_config).
package console
