from segspark.tables.ids import content_hash, content_id


def test_an_id_is_the_same_in_every_release() -> None:
    """Ids are stored in lakes: another literal here means that every run is computed again."""
    assert content_id("run", "default", ["b1", "b2"], {"k": 3}, 1) == "run-7e72ac557b15060e"


def test_the_same_parts_give_the_same_id_whatever_the_order_of_the_settings() -> None:
    one = content_id("run", {"k": 3, "seed": {"a": 1, "b": 2}})
    other = content_id("run", {"seed": {"b": 2, "a": 1}, "k": 3})

    assert one == other


def test_the_order_of_the_parts_and_of_lists_matters() -> None:
    assert content_id("run", "a", "b") != content_id("run", "b", "a")
    assert content_id("run", ["a", "b"]) != content_id("run", ["b", "a"])


def test_where_one_part_ends_matters() -> None:
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert content_hash(["a"], "b") != content_hash(["a", "b"])


def test_a_number_its_text_and_nothing_are_three_things() -> None:
    assert len({content_hash(1), content_hash("1"), content_hash(None), content_hash("")}) == 4


def test_the_kind_is_part_of_the_hash_and_stands_in_front() -> None:
    run, model = content_id("run", "a"), content_id("model", "a")

    assert run.startswith("run-")
    assert model.startswith("model-")
    assert run.partition("-")[2] != model.partition("-")[2]


def test_letters_outside_ascii_are_told_apart() -> None:
    assert content_hash("Käse") != content_hash("Kase")
