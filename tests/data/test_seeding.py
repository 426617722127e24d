from itertools import product

from hallo_lit.data.seeding import seed_of


def test_seeds_differ_by_every_part_and_place_and_never_change():
    seeds = {seed_of("draw", *parts) for parts in product(range(20), repeat=3)}
    assert len(seeds) == 20**3
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_of("draw", 1, 23) != seed_of("draw", 12, 3)
    assert seed_of("order", 0, 0) == 8073061470549175911
