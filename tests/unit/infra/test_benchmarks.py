"""benchmarks/: arithmetic and presentation. The measurements themselves are not tested."""

import numpy as np
import pytest

from aqscore.config import ScorerConfig
from benchmarks import cold, cost
from benchmarks.__main__ import PARTS, render
from benchmarks.floor import Product, as_products, products_of
from benchmarks.measuring import in_turn, numbers_in_turn, ratio, short, spread, table
from benchmarks.scaling import FIRST_CALLS, Load, simulate
from benchmarks.sizes import threads_for
from infra.prices import compute_usd


def test_a_spread_has_median_minimum_and_maximum():
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0, "rounds": 3}


def test_tasks_alternate():
    turns = []
    times = in_turn({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 2)
    assert turns == ["a", "b"] * 3
    assert {name: spent["rounds"] for name, spent in times.items()} == {"a": 2, "b": 2}


def test_numbers_are_collected_by_field():
    counts = iter(range(10))
    found = numbers_in_turn({"a": lambda: {"n": next(counts)}, "b": lambda: {"n": next(counts)}}, 2)
    assert (found["a"]["n"]["max"], found["b"]["n"]["max"]) == (2, 3)
    assert ratio(found["b"]["n"], found["a"]["n"]) == 2


@pytest.mark.parametrize(
    ("number", "text"), [(0.012345, "0.0123"), (6.789, "6.79"), (99.94, "99.9"), (1234.5, "1,234")]
)
def test_numbers_have_three_significant_digits(number, text):
    assert short(number) == text


def test_a_table_is_markdown():
    assert table(["a", "b"], [[1, "x"]]) == "| a | b |\n| --- | --- |\n| 1 | x |"


def test_nodes_become_matrix_products():
    assert as_products("MatMul", [[1, 624, 230]], [[1, 624, 64]], [[230, 64]]) == [Product(624, 230, 64)]
    assert as_products("MatMul", [[4, 8], [8, 2]], [[4, 2]], []) == [Product(4, 8, 2)]
    grouped = as_products("Conv", [[1, 96, 1, 624]], [[1, 32, 1, 312]], [[32, 48, 1, 3], [32]])
    assert grouped == [Product(312, 144, 16, 2)]
    lstm = as_products("LSTM", [[312, 1, 96]], [[312, 2, 1, 128]], [[2, 512, 96], [2, 512, 128], [2, 1024]])
    assert lstm == [Product(312, 96, 512, 2), Product(1, 128, 512, 624)]
    assert as_products("Relu", [[1, 2]], [[1, 2]], []) == []
    assert Product(2, 3, 5, 7).operations == 420


def test_the_products_of_the_shipped_graph_include_its_recurrence():
    model = ScorerConfig().model_dir / "model.onnx"
    few, many = (sum(p.operations for p in products_of(model, frames)) for frames in (100, 200))
    assert many == pytest.approx(2 * few, rel=0.05)
    in_turn = [product.times for product in products_of(model, 100) if product.rows == 1 < product.times]
    assert in_turn == [2 * 100 // 4]  # a step every fourth frame, in both directions


def test_an_unmeasured_cold_start_is_reported():
    times = {runtime: {field: spread([1.0]) for field, _ in cold.PARTS} for runtime in cold.RUNTIMES}
    measured = {"audio_s": 10, "process": times, "container": times}
    sizes = dict.fromkeys(cold.RUNTIMES, 100)
    assert "whole container | not measured" in cold.show(measured | {"beyond_base_mb": sizes})
    assert "containers | not measured" in cold.show({"audio_s": 10, "process": times})


def test_compute_is_billed_by_gb_second():
    assert compute_usd(3600, 1024) == pytest.approx(0.06, rel=1e-3)


def test_the_cost_of_a_thousand_hours_adds_up():
    of_an_hour, of_ten_seconds = cost.usd(3600, 3.0), cost.usd(10, 0.008)
    assert of_an_hour["files"] == 1000
    assert of_an_hour["all"] == pytest.approx(sum(of_an_hour[purpose] for purpose in cost.PURPOSES))
    assert of_ten_seconds["s3"] / of_an_hour["s3"] == pytest.approx(360)


def test_threads_follow_the_memory_size():
    assert [threads_for(size) for size in (512, 1769, 3537, 3538, 10240)] == [1, 1, 1, 2, 5]


def test_a_part_names_the_part_that_it_needs():
    with pytest.raises(SystemExit, match="needs the warm latency"):
        cost.run({})


def test_results_are_shown_in_the_order_of_the_parts():
    times = spread([0.01])
    results = {
        "cost": {"10": cost.usd(10, 0.01)},
        "sizes": {},
        "throughput": {name: times for name in ("1 x 1", "2 x 1", "1 x 2")},
        "machine": {"processor": "a good one"},
    }
    text = render(results)
    at = [text.index(PARTS[part]) for part in ("throughput", "sizes", "cost")]
    assert at == sorted(at)
    assert "processor a good one" in text


def test_few_files_wait_only_for_cold_starts():
    course = simulate(Load(files=5, per_second=1e9, service_s=1.0, cold_s=10.0, concurrency=10))
    assert 10 < course.latencies.min() < course.latencies.max() < 20
    assert course.depths[-1] == 0


def test_one_copy_is_enough_for_a_light_load():
    course = simulate(Load(files=200, per_second=0.5, service_s=0.1, cold_s=1.0, concurrency=10))
    assert course.copies == 1
    assert course.latencies[1:].max() < 1


def test_the_time_of_a_burst_is_its_work_divided_by_the_copies():
    load = Load(files=20_000, per_second=1e6, service_s=0.1, cold_s=0.0, concurrency=2)
    course = simulate(load)
    mean_s = 0.1 * np.exp(0.3**2 / 2)  # of the log-normal distribution that service times have
    assert course.latencies.max() == pytest.approx(20_000 * mean_s / 2, rel=0.02)
    assert course.depths.max() >= 20_000 - 3
    assert course.copies == 2


def test_the_mapping_grows_up_to_its_limit():
    load = Load(files=50_000, per_second=1e6, service_s=0.1, cold_s=0.0, concurrency=100)
    assert FIRST_CALLS < simulate(load).copies <= 100
    np.testing.assert_array_equal(simulate(load).latencies, simulate(load).latencies)
