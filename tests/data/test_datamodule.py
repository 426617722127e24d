import pytest
import torch

from hallo_lit.data.datamodule import ClipDataModule
from hallo_lit.data.dataset import SampleSpec
from hallo_lit.data.sampler import Draw
from hallo_lit.data.spec import OtherEncoderError
from hallo_lit.data.store import ClipStore, Encoder
from hallo_lit.errors import UserError
from hallo_lit.structs import ClipBatch

from . import recording
from .orders import expected, steps_of
from .stores import AUDIO, make_store


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
