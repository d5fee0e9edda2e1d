"""Zstandard frames: three ways to write them, one to read them into memory that is there."""

from __future__ import annotations

import zstandard

from modelshelf.store.codec.cursor import malformed

MOST_WINDOW_BYTES = 4 << 20


class Frames:
    """The zstandard objects of one thread: shared ones report damage where there is none."""

    def __init__(self) -> None:
        # Huffman only: hardly a match is found. A target length would switch that off, too
        symbols = zstandard.ZstdCompressionParameters(
            strategy=zstandard.STRATEGY_FAST, min_match=7, hash_log=6, window_log=19
        )
        # as thorough as level 9, in less memory
        thorough = zstandard.ZstdCompressionParameters.from_level(9, window_log=22, hash_log=19)
        # both the base and what follows it can be as long as a segment
        self._widest = zstandard.ZstdCompressionParameters.from_level(
            9, window_log=23, write_content_size=True, write_dict_id=False
        )
        self._symbols = zstandard.ZstdCompressor(compression_params=symbols)
        self._repeats = zstandard.ZstdCompressor(level=3)
        self._thorough = zstandard.ZstdCompressor(compression_params=thorough)
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW_BYTES)

    def symbols(self, data: memoryview) -> bytes:
        """A frame that tells frequent bytes in few bits: fast, for numbers."""
        return self._symbols.compress(data)

    def repeats(self, data: memoryview) -> bytes:
        """A frame that also tells only once what comes again."""
        return self._repeats.compress(data)

    def thorough(self, data: memoryview) -> bytes:
        """The same after a longer search: slow, for text and what is not known."""
        return self._thorough.compress(data)

    def after(self, data: memoryview, base: memoryview) -> bytes:
        """The same, where what comes again from `base` need not be told at all."""
        known = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        return zstandard.ZstdCompressor(compression_params=self._widest, dict_data=known).compress(
            data
        )

    def fill(self, frame: memoryview, out: memoryview, base: memoryview | None = None) -> None:
        """Decode `frame`, which has to hold exactly the bytes of `out`, maybe `after` a base."""
        decompressor = self._decompressor
        if base is not None:
            known = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            decompressor = zstandard.ZstdDecompressor(
                dict_data=known, max_window_size=MOST_WINDOW_BYTES
            )
        try:
            told = zstandard.get_frame_parameters(frame)
            # a frame that tells its size truly is decoded in one go, without memory of its own
            if told.content_size != len(out) or told.window_size > max(len(out), 1 << 10):
                raise malformed(f"a frame of {told.content_size} bytes instead of {len(out)}")
            filled = decompressor.stream_reader(frame).readinto(out)
        except zstandard.ZstdError as error:
            raise malformed(str(error)) from None
        if filled != len(out):
            raise malformed(f"{filled} bytes instead of {len(out)}")
