package decode

// jsonPack reads a pack in JSON (RFC 8428 section 5).
func (r *senmlReader) jsonPack(payload []byte) *Reject {
	s := scanner{data: payload}
	if !s.open('[') {
		return s.fail("an array of SenML records")
	}
	for first := true; ; first = false {
		if s.open(']') {
			break
		}
		if !first && !s.open(',') {
			return s.fail("a comma or ]")
		}
		if !s.open('{') {
			return s.fail("a SenML record")
		}
		if reject := r.jsonRecord(&s); reject != nil {
			return reject
		}
	}
	if !s.atEnd() {
		return s.fail("the end of the payload")
	}
	return nil
}

// jsonRecord reads a record after its brace.
func (r *senmlReader) jsonRecord(s *scanner) *Reject {
	r.openRecord()
	for first := true; ; first = false {
		key, end, reject := s.key(first)
		if reject != nil {
			return reject
		}
		if end {
			return r.closeRecord()
		}
		if label, ok := senmlLabels[string(key)]; ok {
			reject = r.jsonField(s, label, key)
		} else if reject = unknownLabel(key); reject == nil {
			reject = s.skip(0)
		}
		if reject != nil {
			return reject
		}
	}
}

// jsonField reads the value of a label. null is no value.
func (r *senmlReader) jsonField(s *scanner, label senmlLabel, key []byte) *Reject {
	c := s.peek()
	if c == 'n' && s.literal("null") {
		s.pos += len("null")
		return nil
	}
	if reject := r.once(label); reject != nil {
		return reject
	}
	switch {
	case label.number() && (c == 't' || c == 'f'):
		return s.wrongType(string(key), "a number")
	case label.number():
		v, reject := s.value(string(key))
		if reject != nil {
			return reject
		}
		return r.setNumber(label, v)
	case label == senmlBoolValue:
		var reject *Reject
		r.record.truth, reject = s.boolean(string(key))
		return reject
	case c != '"':
		return s.wrongType(string(key), "a text")
	}
	text, reject := s.str()
	if reject == nil {
		r.setText(label, text)
	}
	return reject
}
