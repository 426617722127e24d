import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hallo_lit.data.datamodule import ClipDataModule
from hallo_lit.data.dataset import SampleSpec
from hallo_lit.data.manifest import Manifest, ManifestRow
from hallo_lit.data.sampler import ClipSampler, Draw
from hallo_lit.data.spec import OtherEncoderError
from hallo_lit.data.store import ClipStore, Encoder, check_store
from hallo_lit.errors import UserError
from hallo_lit.structs import ClipBatch

from . import recording
from .stores import AUDIO, make_store

LENGTHS = tuple(range(20, 48))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """28 clips of 7 persons; with test_share 0.2 and seed 3, 20 are for training."""
    return make_store(tmp_path_factory.mktemp("data") / "store", LENGTHS, people=7)


def expected(root: Path, steps: int) -> list[list[tuple[int, int]]]:
    """(sample, first frame) of every step on one device."""
    module = recording.data(root, 4)
    module.setup("fit")
    sampler = ClipSampler(len(module.train_set), 4, module.seed)
    found = []
    while len(found) < steps:
        for draws in sampler:
            samples = [module.train_set[draw] for draw in draws]
            found.append([(s.index, round((float(s.frames[0, 0, 0, 0]) + 1) * 127.5)) for s in samples])
    return found[:steps]


def steps_of(records: list[dict]) -> list[list[tuple[int, int]]]:
    """The same, from what the ranks wrote down."""
    steps = zip(*(record["seen"] for record in records), strict=True)
    return [[pair for part in parts for pair in zip(part["samples"], part["firsts"], strict=True)] for parts in steps]


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


@pytest.mark.parametrize("workers", [0, 2])
def test_outside_a_trainer_it_is_a_plain_loader(root, workers):
    module = recording.data(root, 4, workers)
    loader = module.train_dataloader()
    batches = list(loader)
    assert sorted(int(i) for batch in batches for i in batch.index) == list(range(20))
    assert batches[0].frames.shape == (4, 14, 3, 16, 24)
    assert steps_of([{"seen": [{"samples": b.index.tolist(), "firsts": firsts(b)} for b in batches]}]) == expected(
        root, 5
    )
    other = [batch.index.tolist() for batch in loader]
    assert sorted(i for batch in other for i in batch) == list(range(20))
    assert other != [batch.index.tolist() for batch in batches]


def firsts(batch: ClipBatch) -> list[int]:
    return ((batch.frames[:, 0, 0, 0, 0] + 1) * 127.5).round().int().tolist()


def test_validation_is_the_same_every_time(root):
    module = recording.data(root, 4, 0)
    module.setup("validate")
    one, other = list(module.val_dataloader()), list(module.val_dataloader())
    assert len(one) == 2
    assert all(torch.equal(a.frames, b.frames) for a, b in zip(one, other, strict=True))
    assert torch.equal(one[0].frames[1], module.test_set[Draw(0, 1)].frames)
    module.test_clips = 3
    assert [batch.index.tolist() for batch in module.val_dataloader()] == [[0, 1, 2]]
    assert [batch.index.tolist() for batch in module.test_dataloader()] == [[0, 1, 2]]


def test_persons_are_apart(root):
    module = recording.data(root, 4)
    module.setup("fit")
    store = ClipStore(root)
    people = [{store.identity(row) for row in data.rows} for data in (module.train_set, module.test_set)]
    assert len(people[0]) == 5
    assert len(people[1]) == 2
    assert not people[0] & people[1]


def test_one_person_leaves_nothing_to_validate(tmp_path):
    module = ClipDataModule(make_store(tmp_path, (20, 20), people=1), workers=0)
    module.setup("fit")
    assert module.val_dataloader() == []
    assert len(list(module.train_dataloader())) == 1


def test_a_store_of_another_encoder_is_refused(root):
    ClipDataModule(root, encoders={"audio": AUDIO}).setup("fit")
    with pytest.raises(OtherEncoderError, match="Viseme"):
        ClipDataModule(root, encoders={"audio": Encoder("Viseme", "1" * 16)}).setup("fit")


def test_short_clips_are_counted_in_a_warning(tmp_path):
    module = ClipDataModule(make_store(tmp_path, (20, 20, 5, 20), people=1))
    with pytest.warns(UserWarning, match="1 train clips are shorter than 17 frames"):
        module.setup("fit")


def test_an_error_in_a_worker_is_one_sentence(tmp_path):
    root = make_store(tmp_path, (20, 20), people=1)
    module = ClipDataModule(root, SampleSpec(source="pixels"), workers=1)
    loader = module.train_dataloader()
    for clip in ClipStore(root):
        clip.path.write_bytes(b"noise")
    with pytest.raises(UserError, match="is damaged") as caught:
        list(loader)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_lightnings_own_sampler_is_refused(root, tmp_path):
    import lightning as L

    fit = L.Trainer(accelerator="cpu", devices=2, strategy="ddp", logger=False, default_root_dir=tmp_path)
    module = recording.data(root, 2)
    module.trainer = fit
    with pytest.raises(UserError, match="use_distributed_sampler"):
        module.train_dataloader()


def test_videos_are_prepared_first(root, tmp_path):
    calls = []

    def prepare(videos: str, store: Path) -> None:
        calls.append((videos, store))
        make_store(store, (20, 20))

    module = ClipDataModule(tmp_path / "store", videos="my videos/*.mp4", prepare=prepare)
    module.prepare_data()
    assert calls == [("my videos/*.mp4", tmp_path / "store")]
    module.setup("fit")
    assert check_store(tmp_path / "store").ok
    ClipDataModule(root).prepare_data()
    assert len(calls) == 1


def test_videos_are_prepared_by_the_encoders_of_the_run(tmp_path, monkeypatch):
    from hallo_lit.data.preprocess import for_training

    asked: list[dict] = []

    def note(config: dict, progress: bool) -> SimpleNamespace:
        asked.append(config)
        return SimpleNamespace(reused=0, lines=())

    monkeypatch.setattr(for_training, "preprocess", note)
    ears, music = {"_target_": "mine.Ears", "layers": 2}, {"_target_": "mine.Separator"}
    module = ClipDataModule(tmp_path, videos="talks", encoders={"audio": Encoder.of({**ears, "separator": music})})
    module.prepare_data()
    assert asked == [{"videos": "talks", "out": str(tmp_path), "features": {"audio": ears, "separator": music}}]


def test_a_public_list_becomes_a_table_first(tmp_path):
    calls = []
    manifest = Manifest((ManifestRow(Path("a.mp4"), 1.0, 2.0),), ("list.txt, line 3: nothing follows 'x'.",))
    module = ClipDataModule(tmp_path, videos=lambda: manifest, prepare=lambda *given: calls.append(given))
    with pytest.warns(UserWarning, match="1 listed videos cannot be used"):
        module.prepare_data()
    assert calls == [(str(tmp_path / "manifest.csv"), tmp_path)]
    assert "a.mp4,1,2" in (tmp_path / "manifest.csv").read_text()
    assert "line 3" in (tmp_path / "manifest.faults.txt").read_text()
    empty = ClipDataModule(tmp_path, videos=lambda: Manifest((), manifest.faults), prepare=lambda *given: None)
    with pytest.raises(UserError, match="line 3"):
        empty.prepare_data()


def test_everybody_in_the_test_split_cannot_train(tmp_path):
    from dataclasses import replace

    from hallo_lit.data.store import StoreWriter

    from .stores import SPEC, item

    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(replace(item(20), split="test"))
    module = ClipDataModule(tmp_path)
    module.setup("test")
    assert len(module.test_set) == 1
    with pytest.raises(UserError, match="kept for testing"):
        module.train_dataloader()
