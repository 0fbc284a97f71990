package metersim

const (
	minuteMS       = 60_000
	generatorMS    = 20_000 // until a standby set carries load
	restartMS      = 3 * minuteMS
	holdUpMS       = 10 * minuteMS // where the registry does not say
	idleShare      = 0.04          // of a plant's usual demand, while it stands still
	singlePhase    = 0.3           // of it, when a phase is lost and motors trip
	dryShare       = 0.1           // of it, without water
	defaultStandby = 0.6           // of the required kW, by sets of unknown size
)

// plantTrouble is what has befallen a plant, and how it copes.
type plantTrouble struct {
	cut     int // causes that hold it off
	dead    bool
	since   int64 // ms: the cut, or the return, that it copes with now; 0: none
	wasDead bool

	wantsKW float64 // what it would draw if all were well
	factor  float64 // a surge of demand
	idle    int     // causes that let it stand still with enough of everything
	phase   int     // causes that took a phase
	held    float64 // the voltage that a brownout holds it at; 0: none

	standbyKW float64
	ownLPH    float64 // the diesel its generators burn
	sources   int     // tanks that the generators draw on

	watered float64 // the share of the water it wanted that it had last
	drySince,
	holdUp int64 // ms
}

func newPlantTrouble(p *plant) *plantTrouble {
	t := &plantTrouble{factor: 1, watered: 1, holdUp: holdUpMS}
	if h := p.def.Requirement.HoldUpMin; h > 0 {
		t.holdUp = int64(h * minuteMS)
	}
	if t.standbyKW = p.def.StandbyKW; t.standbyKW == 0 && len(p.generators) > 0 {
		t.standbyKW = defaultStandby * p.def.Requirement.PowerKW
	}
	for _, o := range p.oil {
		if o.standby {
			t.sources++
		}
	}
	return t
}

// endure returns what the plant asks for, given what it would ask for if all
// were well.
func (p *plant) endure(ms int64, d demand) demand {
	t := p.trouble
	d.kw *= t.factor
	if t.idle > 0 {
		d = demand{idleShare * d.kw, idleShare * d.m3h, idleShare * d.lph}
	}
	t.wantsKW = d.kw
	if t.dead != t.wasDead {
		t.wasDead, t.since = t.dead, ms
	}
	carried := t.generate(p, ms)
	switch {
	case t.dead:
		able := 0.0
		if d.kw > 0 {
			able = carried / d.kw
		}
		if ms-t.since >= t.holdUp {
			d.m3h *= max(0.05, able)
			d.lph *= able
		}
		d.kw = 0
	case t.since != 0 && ms-t.since < restartMS:
		d.kw *= 0.6 + 0.4*float64(ms-t.since)/restartMS
	}
	if t.phase > 0 {
		d.kw *= singlePhase
	}
	return t.thirst(ms, d)
}

// generate lets the plant's generators carry what they can while the grid is
// dead, and returns that in kW.
func (t *plantTrouble) generate(p *plant, ms int64) float64 {
	kw := 0.0
	if t.dead && ms-t.since >= generatorMS && t.fuelled(p) {
		kw = min(t.standbyKW, t.wantsKW)
	}
	for _, g := range p.generators {
		g.kw = kw / float64(len(p.generators))
	}
	if len(p.generators) == 0 {
		kw = 0
	}
	t.ownLPH = litresPerKWh * kw
	return kw
}

// fuelled tells whether some generator tank holds anything.
func (t *plantTrouble) fuelled(p *plant) bool {
	for _, o := range p.oil {
		if o.standby && o.level() > 0.01 {
			return true
		}
	}
	return t.sources == 0
}

// generatorLPH is what the generators draw from the tank, l/h.
func (t *plantTrouble) generatorLPH(o *oilTank) float64 {
	if !o.standby || t.sources == 0 || o.level() <= 0.01 {
		return 0
	}
	return t.ownLPH / float64(t.sources)
}

// thirst slows a plant that has been without water longer than it holds out.
func (t *plantTrouble) thirst(ms int64, d demand) demand {
	if t.watered > 0.5 {
		t.drySince = 0
		return d
	}
	if t.drySince == 0 {
		t.drySince = ms
	}
	if ms-t.drySince >= t.holdUp {
		d.kw *= max(dryShare, t.watered)
		d.lph *= max(dryShare, t.watered)
	}
	return d
}

// reach returns how much of intake the plant's line gives.
func (t *plantTrouble) reach(p *plant, intake float64) float64 {
	if p.line == nil || p.line.trouble == nil {
		return intake
	}
	return intake * p.line.trouble.reach
}

// drink notes how much of what the plant wanted it had, and returns its intake.
func (t *plantTrouble) drink(p *plant, intake, wanted float64) float64 {
	if len(p.water) == 0 {
		intake = t.reach(p, intake)
		t.note(intake, wanted)
		return intake
	}
	content := 0.0
	for _, w := range p.water {
		content += w.net.integral(1) / w.capacity
	}
	if content/float64(len(p.water)) < 0.02 {
		t.note(intake, p.meanM3H)
	} else {
		t.watered = 1
	}
	return intake
}

func (t *plantTrouble) note(had, wanted float64) {
	t.watered = 1
	if wanted > 0 {
		t.watered = min(1, had/wanted)
	}
}

// setVoltage sets the plant's voltage where trouble decides it.
func (t *plantTrouble) setVoltage(p *plant) bool {
	switch {
	case t.dead:
		p.load.perUnit.next(0)
	case t.held > 0:
		p.load.perUnit.next(t.held)
	default:
		return false
	}
	return true
}
