// Package telegram sends notices through a bot (https://core.telegram.org/bots/api), with a button under each alarm that
// waits to be acknowledged, and listens for these buttons by long polling: nothing has to reach this service from outside.
//
// A person's address is the number of their chat with the bot, which is the number of their account: who presses a button
// is known by it. In a group, whose number is negative, a member who is nobody's contact answers as the one whose contact
// the group is.
//
// The token is part of every request's address; no error of this package holds it.
package telegram
