"""Threads that decode images, so that the event loop never does; Pillow releases the interpreter while it decodes."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from app.inference.engine import Overloaded
from app.inference.image import decode_image
from app.inference.manifest import ImageInput


class DecodePool:
    """At most `threads` files decode at once and `files_max` wait or decode; used from one event loop."""

    def __init__(self, *, threads: int, files_max: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._files_max = files_max
        self._files = 0

    async def decode(self, spec: ImageInput, files: Sequence[bytes]) -> NDArray[np.uint8]:
        """Return items x crop x crop x 3. Raises InputInvalid for the first bad file, Overloaded."""
        if self._files + len(files) > self._files_max:
            raise Overloaded("too many images wait to be decoded", hint="try again shortly", retry_after_s=1)
        self._files += len(files)
        try:
            loop = asyncio.get_running_loop()
            work = [
                loop.run_in_executor(self._threads, decode_image, spec, data, f"inputs[{place}]")
                for place, data in enumerate(files)
            ]
            pictures = await asyncio.gather(*work, return_exceptions=True)
        finally:
            self._files -= len(files)
        return np.stack([_picture_or_raise(picture) for picture in pictures])

    def close(self) -> None:
        """Drop what waits; what decodes ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _picture_or_raise(picture: NDArray[np.uint8] | BaseException) -> NDArray[np.uint8]:
    if isinstance(picture, BaseException):
        raise picture
    return picture
