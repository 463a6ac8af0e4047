"""Tests of infra/ and benchmarks/."""
