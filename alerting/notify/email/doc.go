// Package email sends notices by SMTP: text and HTML beside each other, in the person's language.
//
// The Message-ID is made from the notice, the same at every attempt, and what may have gone out before a crash says so in
// X-Imdad-Repeated: mail servers and people recognize the second copy. Mails on one occurrence of an alarm share a thread.
package email
