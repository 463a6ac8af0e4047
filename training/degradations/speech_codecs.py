"""Speech codecs of telephony with their own concealment of lost packets, from the system's libraries.

AMR-NB and AMR-WB (3GPP TS 26.071, 26.171; opencore-amr, vo-amrwbenc), G.729 (ITU-T; bcg729) and Opus (RFC
6716; libopus). On Debian: libopencore-amrnb0, libopencore-amrwb0, libvo-amrwbenc0, libbcg729-0, libopus0.
A codec whose library is missing is left out.
"""

import ctypes
import ctypes.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr

from aqscore.model.features import SPEC

RATE = SPEC.sample_rate_hz
LARGEST_PACKET = 1500  # bytes
NO_DATA = bytes([15 << 3 | 4])  # AMR's frame type for a lost packet (RFC 4867, 5.3)
OPUS_VOIP, OPUS_SET_BITRATE = 2048, 4002

Encode = Callable[[np.ndarray], bytes]  # one packet's (n,) int16 samples to its bytes
Decode = Callable[[bytes | None], np.ndarray]  # a packet, None where it is lost, to (n,) int16 samples


@dataclass(frozen=True)
class SpeechCodec:
    """A codec's rate in Hz, samples in a packet, and modes from the highest bit rate to the lowest."""

    rate: int
    packet: int
    modes: tuple[int, ...]
    libraries: tuple[str, ...]
    open: Callable[["SpeechCodec", int], tuple[Encode, Decode]]

    @property
    def available(self) -> bool:
        return all(_found(name) for name in self.libraries)

    def code(self, samples: np.ndarray, mode: int, lost: Callable[[int], np.ndarray]) -> np.ndarray:
        """(n,) float32 at 16 kHz, coded, transmitted and decoded; it is delayed by the codec.

        ``lost`` takes the number of packets, and returns which are lost.
        """
        sent = samples if self.rate == RATE else soxr.resample(samples, RATE, self.rate)
        count = -(-len(sent) // self.packet) + 4  # the delay of the codec
        sent = np.pad(sent, (0, count * self.packet - len(sent)))
        packets = np.round(np.clip(sent, -1, 1) * 32767).astype(np.int16).reshape(count, -1)
        encode, decode = self.open(self, mode)
        received = [
            decode(None if gone else encode(packet))
            for packet, gone in zip(packets, lost(count), strict=True)
        ]
        decoded = np.concatenate(received).astype(np.float32) / 32768
        return decoded if self.rate == RATE else soxr.resample(decoded, self.rate, RATE)


@cache
def _found(name: str) -> bool:
    return ctypes.util.find_library(name) is not None


@cache
def _library(name: str) -> ctypes.CDLL:
    path = ctypes.util.find_library(name)
    if path is None:
        raise ValueError(f"The library {name} was not found, expected it to be installed.")
    return ctypes.CDLL(path)


class _State:
    """An encoder's or decoder's state, closed with the last reference to it."""

    def __init__(self, library: str, start: str, stop: str, *arguments: object) -> None:
        opened = _library(library)[start]
        opened.restype = ctypes.c_void_p
        self.address = ctypes.c_void_p(opened(*arguments))
        self._close = _library(library)[stop]

    def __del__(self) -> None:
        self._close(self.address)


def _pointer(samples: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(samples.ctypes.data)


def _amr(encoder: tuple[str, str, str, str], decoder: tuple[str, str, str, str], dtx: bool) -> Callable:
    """Opens an AMR codec; ``encoder`` and ``decoder`` name the library and its functions."""

    def opened(codec: SpeechCodec, mode: int) -> tuple[Encode, Decode]:
        writer = _State(encoder[0], encoder[1], encoder[2], *([0] if dtx else []))
        reader = _State(decoder[0], decoder[1], decoder[2])
        buffer = ctypes.create_string_buffer(LARGEST_PACKET)

        def encode(samples: np.ndarray) -> bytes:
            size = _library(encoder[0])[encoder[3]](writer.address, mode, _pointer(samples), buffer, 0)
            return buffer.raw[:size]

        def decode(packet: bytes | None) -> np.ndarray:
            output = np.zeros(codec.packet, np.int16)
            data = packet or NO_DATA
            _library(decoder[0])[decoder[3]](reader.address, data, _pointer(output), 0)
            return output

        return encode, decode

    return opened


def _g729(codec: SpeechCodec, mode: int) -> tuple[Encode, Decode]:
    writer = _State("bcg729", "initBcg729EncoderChannel", "closeBcg729EncoderChannel", 0)
    reader = _State("bcg729", "initBcg729DecoderChannel", "closeBcg729DecoderChannel")
    buffer, size = ctypes.create_string_buffer(LARGEST_PACKET), ctypes.c_uint8()

    def encode(samples: np.ndarray) -> bytes:
        _library("bcg729").bcg729Encoder(writer.address, _pointer(samples), buffer, ctypes.byref(size))
        return buffer.raw[: size.value]

    def decode(packet: bytes | None) -> np.ndarray:
        output = np.zeros(codec.packet, np.int16)
        data = packet or b""
        _library("bcg729").bcg729Decoder(
            reader.address, data or None, len(data), int(packet is None), 0, 0, _pointer(output)
        )
        return output

    return encode, decode


def _opus(codec: SpeechCodec, mode: int) -> tuple[Encode, Decode]:
    error = ctypes.c_int()
    writer = _State(
        "opus", "opus_encoder_create", "opus_encoder_destroy", codec.rate, 1, OPUS_VOIP, ctypes.byref(error)
    )
    reader = _State("opus", "opus_decoder_create", "opus_decoder_destroy", codec.rate, 1, ctypes.byref(error))
    _library("opus").opus_encoder_ctl(writer.address, OPUS_SET_BITRATE, ctypes.c_int(mode))
    buffer = ctypes.create_string_buffer(LARGEST_PACKET)

    def encode(samples: np.ndarray) -> bytes:
        size = _library("opus").opus_encode(
            writer.address, _pointer(samples), codec.packet, buffer, LARGEST_PACKET
        )
        return buffer.raw[: max(size, 0)]

    def decode(packet: bytes | None) -> np.ndarray:
        output = np.zeros(codec.packet, np.int16)
        data = packet or b""
        _library("opus").opus_decode(
            reader.address, data or None, len(data), _pointer(output), codec.packet, 0
        )
        return output

    return encode, decode


_NB = ("Encoder_Interface_init", "Encoder_Interface_exit", "Encoder_Interface_Encode")
_NB_DECODER = ("Decoder_Interface_init", "Decoder_Interface_exit", "Decoder_Interface_Decode")
SPEECH_CODECS = {
    "amr_nb": SpeechCodec(
        8000,
        160,
        tuple(range(7, -1, -1)),  # 12.2 to 4.75 kbit/s
        ("opencore-amrnb",),
        _amr(("opencore-amrnb", *_NB), ("opencore-amrnb", *_NB_DECODER), dtx=True),
    ),
    "amr_wb": SpeechCodec(
        16000,
        320,
        tuple(range(8, -1, -1)),  # 23.85 to 6.6 kbit/s
        ("vo-amrwbenc", "opencore-amrwb"),
        _amr(
            ("vo-amrwbenc", "E_IF_init", "E_IF_exit", "E_IF_encode"),
            ("opencore-amrwb", "D_IF_init", "D_IF_exit", "D_IF_decode"),
            dtx=False,
        ),
    ),
    "g729": SpeechCodec(8000, 80, (8000,), ("bcg729",), _g729),
    "opus_wb": SpeechCodec(16000, 320, (32000, 24000, 20000, 16000, 12000, 9000, 6000), ("opus",), _opus),
    "opus_nb": SpeechCodec(8000, 160, (16000, 12000, 9000, 6000), ("opus",), _opus),
}


def available() -> dict[str, SpeechCodec]:
    """The codecs whose libraries are installed."""
    return {name: codec for name, codec in SPEECH_CODECS.items() if codec.available}
