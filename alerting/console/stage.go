package console

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// Stages takes what the utility announces: the stage of rationing of a city.
type Stages interface {
	// SetStage returns an error if the city is not registered.
	SetStage(city string, stage int) error
}

type stageInput struct {
	City string `path:"city" doc:"The city's id"`
	Body struct {
		Stage int `json:"stage" minimum:"0" maximum:"99" doc:"0: no rationing beyond the fixed programme"`
	}
}

func stage(s Stages) handler[stageInput, struct{}] {
	return func(_ context.Context, in *stageInput) (*struct{}, error) {
		if err := s.SetStage(in.City, in.Body.Stage); err != nil {
			return nil, huma.Error404NotFound(err.Error())
		}
		return nil, nil
	}
}
