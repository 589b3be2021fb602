from configs.knobs import Knob, describe_knobs
from configs.schema.run import RunConfig

KNOBS = list(describe_knobs())


def named(name: str) -> list[Knob]:
    return [knob for knob in KNOBS if knob.name == name]


def test_every_knob_has_a_type_and_nearly_all_a_description() -> None:
    assert all(knob.type for knob in KNOBS)
    assert [knob.name for knob in KNOBS if not knob.description] in ([], ["model.engine"])


def test_ranges_and_choices_stand_in_the_type() -> None:
    assert named("decoding.top_p")[0].type == "a number above 0 and at most 1"
    assert named("workers.count")[0].type == "a whole number of at least 1 or 'auto'"
    assert named("render.clean_up")[0].type == "'strip' or 'faithful'"


def test_a_knob_that_must_be_given_has_no_default() -> None:
    assert named("model.name")[0].default is None
    assert named("pool.limit")[0].default == "null"
    assert named("strategy.prune")[0].default == "true"


def test_a_knob_of_one_kind_names_it_and_a_knob_of_all_kinds_stands_once() -> None:
    assert [knob.when for knob in named("strategy.threshold")] == ["exhaustive_greedy"]
    assert [knob.when for knob in named("strategy.max_demonstrations")] == [""]
    assert {("optuna", "200"), ("random", "100")} <= {(knob.when, knob.default) for knob in named("strategy.trials")}
    assert "`optuna`: Optuna guides" in named("strategy.kind")[0].description


def test_every_group_of_the_schema_is_described() -> None:
    assert {knob.name.split(".")[0] for knob in KNOBS} == set(RunConfig.model_fields)
