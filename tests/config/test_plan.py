from rvae.config import DataConfig, ModelConfig, TrainingConfig, TrainingPlan


def test_all_but_the_data_has_defaults() -> None:
    plan = TrainingPlan(DataConfig("x.csv"), training=TrainingConfig(epochs=3))
    assert plan.model == ModelConfig()
    assert plan.training.epochs == 3
