// Package sms sends notices through an HTTP gateway of whatever shape: the request is made of templates.
//
//	url: "https://gateway.example/v1/messages"
//	headers: {Authorization: "Bearer {{.Secret}}"}
//	body: '{"to": {{json .To}}, "text": {{json .Text}}, "ref": {{json .ID}}}'
//	secret: "${IMDAD_SMS_KEY}"
//
// or, for a gateway that takes all in the address:
//
//	method: GET
//	body: ""
//	url: "http://gateway.example/send?key={{query .Secret}}&to={{query (digits .To)}}&msg={{query .Text}}"
//
// A message is charged by the part: 160 characters of the GSM alphabet (153 each when there are several), or 70 (67) as
// soon as there is one other, as in any Arabic text. What does not fit into max_segments is cut, and ends in an ellipsis.
package sms
