// Package console is the face of alerting: the HTTP API with its description,
// and the page behind the signed link in an e-mail.
//
//	/api/v1/alarms …        list, one, acknowledge, shelve, …   ─► Desk
//	/api/v1/journal         transitions, page by page           ─► Desk
//	/api/v1/cities/…/stage  the announced stage of rationing    ─► Stages
//	/api/openapi.json       made from the operations themselves
//	/acknowledge?token=…    asks first: programs that read mail open links
package console
