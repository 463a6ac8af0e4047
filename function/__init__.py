"""aqscore's function: scores recordings of speech without a clean reference.

The way of the data is the order in which to read:
handler -> events -> storage -> audio -> features -> model -> scoring -> report.
Between storage and audio, in a process of their own: isolation -> decoder -> formats, ffmpeg.
"""
