"""Each degradation matches its record, keeps the length, and stays aligned with its input."""

import numpy as np
import pytest

from tests.unit.training.material import RATE, voice
from training.corpus.labels import pesq_wb
from training.corpus.mixtures import COMBINED, Pools, degraded, with_noise
from training.degradations import DEGRADATIONS, codecs, ffmpeg, suppression, voice_processing
from training.degradations.bandwidth import bandlimit, filtered
from training.degradations.clipping import clipping
from training.degradations.mnru import mnru
from training.degradations.noise import snr_for
from training.degradations.packet_loss import lost_packets, packet_loss
from training.degradations.reverberation import decaying_response, resized, reverb, room_response
from training.degradations.speech_codecs import SPEECH_CODECS
from training.levels import active_level


class WhiteNoise:
    """Replaces a pool of noise files."""

    def draw(self, generator, length):
        return generator.standard_normal(length).astype(np.float32), ["white-noise"], {}


POOLS = Pools(None, WhiteNoise(), ())
SPEECH = voice(3, 5)


@pytest.mark.parametrize("kind", [*DEGRADATIONS, COMBINED])
@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_every_kind_keeps_length_and_stays_finite(kind, severity, rng):
    for length in (len(SPEECH), len(SPEECH) - 7):
        for _ in range(3):
            version = degraded(SPEECH[:length], kind, severity, rng, POOLS)
            assert version.samples.shape == (length,)
            assert np.isfinite(version.samples).all()
            assert version.samples.dtype == np.float32
            assert version.group == kind if kind != COMBINED else version.records


@pytest.mark.parametrize("kind", ["reverb", "mnru", "quantisation", "noise", "suppression"])
def test_more_severe_sounds_worse(kind, rng):
    light, heavy = (
        pesq_wb(SPEECH, degraded(SPEECH, kind, severity, rng, POOLS).samples) for severity in (0.1, 0.95)
    )
    assert heavy < light - 1


def test_noise_has_the_recorded_snr(rng):
    version = with_noise(SPEECH, 12.0, rng, POOLS)
    noise = version.samples - SPEECH
    assert 20 * np.log10(active_level(SPEECH) / np.std(noise)) == pytest.approx(12, abs=0.1)
    assert version.snr_db == 12
    assert version.noise_kinds == ["white-noise"]


def test_snr_grows_with_the_score_asked_for():
    assert snr_for(1.04) == -10
    assert snr_for(2.0) < snr_for(3.0) < snr_for(4.5)


def test_echoes_of_a_larger_room_are_later_and_longer():
    response = np.zeros(1000, np.float32)
    response[[0, 100, 300]] = 1.0, 0.5, 0.25
    larger = resized(response, 1.5)
    assert [int(np.argmax(larger[at - 5 : at + 6])) for at in (150, 450)] == [5, 5]
    np.testing.assert_allclose(larger[[0, 150, 450]], [1.0, 0.5, 0.25], atol=1e-3)
    assert len(larger) == pytest.approx(1.5 * len(response), abs=2)


def test_a_room_loses_its_treble_first(rng):
    response = np.mean(
        [np.abs(np.fft.rfft(decaying_response(0.8, rng)[8000:])) ** 2 for _ in range(8)], axis=0
    )
    half = len(response) // 2
    assert response[:half].sum() > 2 * response[half:].sum()


@pytest.mark.parametrize("severity", [0.2, 0.7])
def test_mnru_reaches_its_q(severity, rng):
    output, record = mnru(SPEECH, severity, rng)
    noise = output - SPEECH
    assert 10 * np.log10(np.sum(SPEECH**2) / np.sum(noise**2)) == pytest.approx(record["q_db"], abs=0.5)
    assert not noise[SPEECH == 0].any()


def test_clipping_stops_at_its_level(rng):
    output, record = clipping(SPEECH, 0.6, rng)
    limit = active_level(SPEECH) * 10 ** (record["above_active_db"] / 20)
    assert np.max(np.abs(output)) <= limit * 1.0001
    assert np.max(np.abs(SPEECH)) > limit


def test_a_filter_keeps_its_band_and_drops_the_rest(rng):
    noise = rng.standard_normal(4 * RATE).astype(np.float32)
    output = filtered(noise, 300.0, 3400.0)
    power = np.abs(np.fft.rfft(output)) ** 2
    hertz = np.fft.rfftfreq(len(output), 1 / RATE)
    kept = power[(hertz > 500) & (hertz < 3200)].mean()
    assert 10 * np.log10(power[hertz > 3700].mean() / kept) < -40
    assert 10 * np.log10(power[hertz < 80].mean() / kept) < -20
    assert np.argmax(np.correlate(output[1000:3000], noise[900:3100], "valid")) == 100


def test_packet_loss_silences_the_recorded_share():
    samples = np.ones(20 * RATE, np.float32)
    for seed in range(40):
        output, record = packet_loss(samples, 0.8, np.random.default_rng(seed))
        if record["method"] == "zero":
            break
    assert np.mean(output == 0) == pytest.approx(record["lost"], abs=0.01)
    assert 0.05 < record["lost"] < 0.5


def test_a_recorded_room_does_not_delay(rng):
    recorded = np.r_[np.zeros(80), 0.5, 0.02 * rng.standard_normal(3000) * np.exp(-np.arange(3000) / 500)]
    response = room_response(recorded)
    assert response[0] == 1
    output, _ = reverb(SPEECH, 0.2, rng, (("hall", response),))
    lag = np.argmax(np.correlate(output[8000:24000], SPEECH[7900:24100], "valid"))
    assert lag == 100


@pytest.mark.parametrize("name", sorted(codecs.CODECS))
def test_decoded_audio_is_aligned_with_its_input(name):
    codec = codecs.CODECS[name]
    for rate in codec.rates:
        output = codecs.code(SPEECH, name, rate, codec.levels[0] if codec.levels else None)
        assert output.shape == SPEECH.shape
        assert np.corrcoef(output, SPEECH)[0, 1] > 0.8
        lag = np.argmax(np.correlate(output[8000:24000], SPEECH[7980:24020], "valid"))
        assert abs(lag - 20) <= 1


def test_alignment_undoes_a_delay():
    late = np.concatenate([np.zeros(1105, np.float32), SPEECH, np.zeros(300, np.float32)])
    np.testing.assert_array_equal(codecs.aligned(late, SPEECH), SPEECH)
    np.testing.assert_array_equal(codecs.aligned(SPEECH[50:], SPEECH)[50:], SPEECH[50:])


def nothing_lost(count):
    return np.zeros(count, bool)


@pytest.mark.parametrize("name", sorted(SPEECH_CODECS))
def test_a_speech_codec_transmits_speech_and_conceals_losses(name, rng):
    codec = SPEECH_CODECS[name]
    if not codec.available:
        pytest.skip(f"{name} needs the libraries {codec.libraries}")
    best, worst = codec.modes[0], codec.modes[-1]
    whole = codecs.aligned(codec.code(SPEECH, best, nothing_lost), SPEECH)
    assert pesq_wb(SPEECH, whole) > 1.8
    if worst != best:
        low = codecs.aligned(codec.code(SPEECH, worst, nothing_lost), SPEECH)
        assert pesq_wb(SPEECH, low) < pesq_wb(SPEECH, whole)
    received = codec.code(SPEECH, best, lambda count: lost_packets(count, 0.2, 2.0, rng))
    concealed = codecs.aligned(received, SPEECH)
    assert pesq_wb(SPEECH, concealed) < pesq_wb(SPEECH, whole) - 0.2
    assert active_level(concealed) > 0.5 * active_level(whole), "the codec didn't conceal its losses"


@pytest.mark.parametrize("name", sorted(codecs.FFMPEG_CODECS))
def test_a_codec_of_ffmpeg_keeps_the_speech_at_every_rate(name):
    codec = codecs.FFMPEG_CODECS[name]
    for rate in codec.rates:
        scores = []
        for severity in (0.0, 1.0):
            late = ffmpeg.coded(SPEECH, codec.encoder, codec.decoder, rate, codec.bit_rate(severity, rate))
            scores.append(pesq_wb(SPEECH, codecs.aligned(late, SPEECH)))
        assert scores[0] > 1.5
        assert scores[1] <= scores[0] + 0.05


def test_losses_have_the_rate_and_the_bursts(rng):
    lost = lost_packets(200_000, 0.1, 4.0, rng)
    assert np.mean(lost) == pytest.approx(0.1, rel=0.1)
    runs = np.diff(np.flatnonzero(np.diff(np.r_[0, lost, 0])))[::2]
    assert runs.mean() == pytest.approx(4.0, rel=0.1)


def test_a_bad_resampler_leaves_images():
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    for seed in range(200):
        output, record = bandlimit(tone, 0.5, np.random.default_rng(seed))
        if record["method"] == "repeated" and not record["aliased"]:
            break
    assert record["rate_hz"] == 8000
    spectrum = np.abs(np.fft.rfft(output))
    assert spectrum[7000] > 0.05 * spectrum[1000]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("suppressors", "webrtc"), ("suppressors", "speex"), ("suppressors", "rnnoise")]
    + [("gain_controls", "webrtc"), ("gain_controls", "speex")],
)
def test_voice_processing_keeps_the_speech(kind, name, rng):
    processors = getattr(voice_processing, kind)()
    if name not in processors:
        pytest.skip(f"the package of {name} is not installed")
    noisy = SPEECH + (0.1 * active_level(SPEECH) * rng.standard_normal(len(SPEECH))).astype(np.float32)
    output = codecs.aligned(processors[name](noisy, rng), noisy)
    assert output.shape == noisy.shape
    assert np.isfinite(output).all()
    assert np.std(output - noisy) > 0.01 * np.std(noisy)
    if name != "rnnoise":  # it suppresses a synthetic voice
        assert np.corrcoef(output, SPEECH)[0, 1] > 0.6


@pytest.mark.parametrize("method", ["spectral subtraction", "Wiener", "local Wiener"])
def test_gains_that_overestimate_the_noise_remove_speech(method):
    """Every method, with no audible noise at all; digital silence stays silent and finite."""
    samples = np.concatenate([voice(3, 3), np.zeros(RATE, np.float32)])
    level = active_level(samples)
    changes: dict[float, list[float]] = {0.0: [], 30.0: []}
    for excess_db, found in changes.items():
        for seed in range(40):
            generator = np.random.default_rng(seed)
            output, record = suppression._computed(samples, level, excess_db, generator)
            if record["method"] == method:
                assert output.shape == samples.shape and np.isfinite(output).all()
                assert np.abs(output[-RATE // 2 :]).max() < 1e-4
                found.append(float(np.mean(np.square(output - samples))))
    assert np.median(changes[30.0]) > 3 * np.median(changes[0.0])
