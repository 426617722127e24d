"""What devices see, in which order, and how an interrupted run goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hallo_lit.structs import ClipBatch

from . import recording
from .orders import expected, steps_of
from .stores import LENGTHS, make_store


def read(out: Path, name: str, ranks: int) -> list[dict]:
    return [json.loads((out / f"{name}.{rank}.json").read_text()) for rank in range(ranks)]


def test_two_processes_see_everything_once_and_go_on_after_an_interruption(root, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "data.recording", str(root), str(tmp_path), "2"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    before, after = read(tmp_path, "before", 2), read(tmp_path, "after", 2)
    module = recording.data(root, 2)
    module.setup("fit")
    size = len(module.train_set)
    whole = expected(root, 3 * -(-size // 4))
    seen = steps_of(before) + steps_of(after)
    assert [sorted(step) for step in seen] == [sorted(step) for step in whole]
    for first, second in zip(before[0]["seen"] + after[0]["seen"], before[1]["seen"] + after[1]["seen"], strict=True):
        assert not set(first["samples"]) & set(second["samples"])
        assert first["frames"] == second["frames"] == [14, 3, 16, 24]
    per_epoch = -(-size // 4)
    for epoch in range(3):
        samples = [sample for step in seen[epoch * per_epoch : (epoch + 1) * per_epoch] for sample, _ in step]
        assert sorted(samples) == list(range(size))
    halves = [record["validated"] for record in after]
    assert {len(half) for half in halves} == {len(halves[0])}
    assert {*halves[0], *halves[1]} == set(range(len(module.test_set)))

    # the same checkpoint on one device
    model, fit = recording.Recorder(), recording.trainer(tmp_path, 1, -1)
    checkpoint = str(tmp_path / "kept" / f"step={recording.STEPS}.ckpt")
    fit.fit(model, datamodule=recording.data(root, 4, 0), ckpt_path=checkpoint, weights_only=True)
    later = steps_of([{"seen": model.seen}])
    assert later == [list(step) for step in whole[recording.STEPS : recording.STEPS + len(later)]]
    assert len(later) >= len(whole) - recording.STEPS


@pytest.mark.parametrize("steps", [1, 4, 5, 6, 9])
def test_one_process_goes_on_after_any_step(root, tmp_path, monkeypatch, steps):
    monkeypatch.setattr(recording, "STEPS", steps)
    whole = expected(root, 3 * 5)
    first, fit = recording.Recorder(), recording.trainer(tmp_path, 1, steps)
    fit.fit(first, datamodule=recording.data(root, 4, 0))
    second, fit = recording.Recorder(), recording.trainer(tmp_path, 1, -1)
    checkpoint = str(tmp_path / "kept" / f"step={steps}.ckpt")
    fit.fit(second, datamodule=recording.data(root, 4, 0), ckpt_path=checkpoint, weights_only=True)
    assert steps_of([{"seen": first.seen + second.seen}]) == whole
    assert fit.current_epoch == 3


@pytest.mark.parametrize("how", ["after validation", "in an epoch's last hook", "while accumulating"])
def test_checkpoints_of_other_moments(root, tmp_path, how):
    import lightning as L

    class Saving(L.Callback):
        def on_validation_end(self, trainer, model):
            if how == "after validation" and len(model.seen) == 7:
                trainer.save_checkpoint(tmp_path / "kept.ckpt")

        def on_train_epoch_end(self, trainer, model):
            if how == "in an epoch's last hook" and trainer.current_epoch == 1:
                trainer.save_checkpoint(tmp_path / "kept.ckpt")

        def on_train_batch_end(self, trainer, model, outputs, batch, number):
            if how == "while accumulating" and len(model.seen) == 7:
                trainer.save_checkpoint(tmp_path / "kept.ckpt")

    def run(checkpoint):
        model = recording.Recorder()
        fit = L.Trainer(
            accelerator="cpu", max_epochs=3, logger=False, enable_checkpointing=False, callbacks=[Saving()],
            val_check_interval=2 if how == "after validation" else 1.0, enable_model_summary=False,
            accumulate_grad_batches=2 if how == "while accumulating" else 1, enable_progress_bar=False,
            default_root_dir=tmp_path, num_sanity_val_steps=0,
        )  # fmt: skip
        fit.fit(model, datamodule=recording.data(root, 4, 0), ckpt_path=checkpoint, weights_only=True)
        return model.seen

    whole = run(None)
    saved = {"after validation": 7, "in an epoch's last hook": 10, "while accumulating": 7}[how]
    rest = run(tmp_path / "kept.ckpt")
    assert steps_of([{"seen": whole}]) == expected(root, 15)
    assert steps_of([{"seen": whole[:saved] + rest}]) == expected(root, 15)


def test_lightning_has_nothing_to_warn_of(root, tmp_path, recwarn):
    """It warns of loaders that cannot be resumed."""
    for steps in (2, 4):
        fit = recording.trainer(tmp_path, 1, steps)
        checkpoint = None if steps == 2 else str(tmp_path / "two.ckpt")
        fit.fit(recording.Recorder(), datamodule=recording.data(root, 4, 0), ckpt_path=checkpoint, weights_only=True)
        fit.save_checkpoint(tmp_path / "two.ckpt")
    assert not [warning for warning in recwarn if "resum" in str(warning.message)]


def test_fitting_on_with_the_same_trainer_goes_on_and_a_new_trainer_begins_anew(root, tmp_path):
    module, fit = recording.data(root, 4, 0), recording.trainer(tmp_path, 1, 3)
    seen = []
    for steps in (3, 7):
        model = recording.Recorder()
        fit.fit_loop.epoch_loop.max_steps = steps
        fit.fit(model, datamodule=module)
        seen += model.seen
    assert steps_of([{"seen": seen}])[:7] == expected(root, 7)
    model = recording.Recorder()
    recording.trainer(tmp_path, 1, 2).fit(model, datamodule=module)
    assert steps_of([{"seen": model.seen}]) == expected(root, 2)


def test_loaders_asked_for_in_every_epoch_go_on(root, tmp_path):
    import lightning as L

    model = recording.Recorder()
    fit = L.Trainer(
        accelerator="cpu", max_epochs=3, reload_dataloaders_every_n_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    fit.fit(model, datamodule=recording.data(root, 4, 0))
    assert steps_of([{"seen": model.seen}]) == expected(root, 15)


def test_overfitting_repeats_the_same_samples(root, tmp_path):
    import lightning as L

    model = recording.Recorder()
    fit = L.Trainer(
        accelerator="cpu", max_epochs=3, overfit_batches=2, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
        use_distributed_sampler=False,
    )  # fmt: skip
    fit.fit(model, datamodule=recording.data(root, 4, 0))
    seen = steps_of([{"seen": model.seen}])
    assert len(seen) == 6
    assert seen[:2] == seen[2:4] == seen[4:] == expected(root, 2)


def test_an_exception_in_a_step_repeats_that_step_only(root, tmp_path):
    class Failing(recording.Recorder):
        def training_step(self, batch: ClipBatch, number: int) -> torch.Tensor:
            if len(self.seen) == 7:
                fit.save_checkpoint(tmp_path / "last.ckpt")
                raise RuntimeError("power cut")
            return super().training_step(batch, number)

    first, fit = Failing(), recording.trainer(tmp_path, 1, -1)
    with pytest.raises(RuntimeError, match="power cut"):
        fit.fit(first, datamodule=recording.data(root, 4, 1))
    second, again = recording.Recorder(), recording.trainer(tmp_path, 1, -1)
    checkpoint = str(tmp_path / "last.ckpt")
    again.fit(second, datamodule=recording.data(root, 4, 1), ckpt_path=checkpoint, weights_only=True)
    assert steps_of([{"seen": first.seen + second.seen}]) == expected(root, 15)


def test_changed_clips_begin_a_new_order_and_say_so(root, tmp_path):
    module = recording.data(root, 4, 0)
    module.setup("fit")
    module.train_dataloader()
    state = module.state_dict()
    assert all(isinstance(value, (int, str, dict)) for value in state.values())
    other = recording.data(make_store(tmp_path / "other", LENGTHS[:20], people=7), 4, 0)
    other.load_state_dict({**state, "sampler": {**state["sampler"], "consumed": 8}})
    other.setup("fit")
    with pytest.warns(UserWarning, match="begins anew"):
        loader = other.train_dataloader()
    assert next(iter(loader.batch_sampler))[0].epoch == 0
    assert other.state_dict()["sampler"]["consumed"] in (0, 4)
