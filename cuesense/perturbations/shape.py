"""Shape and layout: tiles of a grid that are shuffled, turned or moved, and the shift of a whole image."""

from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from cuesense.draws import Draws
from cuesense.perturbations.sampling import kept_on, on_device_of

# As in the prototype's comparison of shams: moving tiles of this grid by 8 of 224 px costs shape classes .04 and
# texture classes nothing, seams of foreign pixels .53 and .14 to .21. The ablations' grids
# of 3 and 4 have about as many seams.
_JITTER_GRID = 4
# Up to this grid an image's tiles are copied one by one on the CPU: at 224 px grids of 2 to 8 then take .6 of the time
# of an index for every pixel; at 64 px one of 8 takes as long, and one of 16 longer.
_COPIED_GRID = 8


def patch_shuffle(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Cut an image into a grid and put the tiles in a random order.

    Grids need not divide the image: tiles then differ by one pixel, and a smaller tile that fills a larger gap takes
    one more row or column of its neighbor.
    Source: Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), shape suppression with grids 2 to 16.
    Suppresses shape. Damages textures coarser than a tile; its seams add edges (see tile_jitter).
    Implementation: own; kornia's ``RandomJigsaw`` gives the same pixels, but only where the grid divides both sides.

    Args:
        images: (N, 3, H, W) in [0, 1], or one channel of three equal ones.
        value: Tiles a side, from 1 (nothing moves).
        draws: value squared numbers an image.

    Returns:
        Of the same shape, in [0, 1].
    """
    grid = _grid(images, value)
    # Not kornia's jigsaw: that needs sides that the grid divides, and numbers the tiles by column.
    source = torch.from_numpy(draws.uniform(grid * grid)).argsort(dim=1).view(-1, grid, grid)
    rows, columns = (_starts(length, grid) for length in images.shape[-2:])
    return _take_tiles(images, rows[source.div(grid, rounding_mode="floor")], columns[source.remainder(grid)])


def patch_rotation(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Cut an image into a grid and turn every tile by 90, 180 or 270 degrees.

    Tiles that are not square are turned in their own proportions (nearest neighbor).
    Source: Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), shape suppression with grids 2 to 16.
    Suppresses shape while every tile keeps its position. Damages oriented and coarse texture.
    Implementation: own; kornia has nothing that turns tiles.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Tiles a side, from 1.
        draws: value squared numbers an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    grid = _grid(images, value)
    height, width = images.shape[-2:]
    turns = torch.from_numpy(draws.uniform(grid * grid)).mul_(3).long().view(-1, grid, grid)
    turn_of_pixel = _spread(on_device_of(images, turns), height, width)
    turned = kept_on(images.device, _turned_indices, height, width, grid).view(3, -1)
    index = turned.gather(0, turn_of_pixel.view(-1, height * width))
    return _take(images, index)


def tile_jitter(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Move the content of every tile of a 4 x 4 grid by up to value in both directions: a sham shuffle.

    Source: ours; it has the seams of a shuffle, made of the image's own content, without the loss of layout.
    Suppresses nothing: it controls for the seams and the pixel change of the patch perturbations.
    Implementation: own; kornia has nothing that moves the content of tiles.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Largest displacement as a fraction of the shorter side.
        draws: 32 numbers an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    grid, side = _JITTER_GRID, min(images.shape[-2:])
    grid = min(grid, side)
    moves = torch.from_numpy(draws.uniform(2 * grid * grid)).mul_(2).sub_(1).mul_(value * side).round_().long()
    moves = moves.view(-1, 2, grid, grid)
    rows, columns = (_starts(length, grid)[:-1] for length in images.shape[-2:])
    return _take_tiles(images, rows[:, None] + moves[:, 0], columns[None, :] + moves[:, 1])


def translation(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Shift an image by value in a random direction; the border is mirrored.

    Source: ours; the pixels change as much as under a suppression, and no cue is lost.
    Suppresses nothing: it controls for pixel change as such.
    Implementation: own; kornia's ``translate`` gives the same pixels in two to three times the time.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Distance as a fraction of the shorter side, below 1.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    height, width = images.shape[-2:]
    # Double precision, so that rounding to whole pixels does not depend on the float32 sine of a platform.
    angle = torch.from_numpy(draws.uniform(1)[:, 0]).double() * (2 * torch.pi)
    distance = value * min(height, width)
    rows = on_device_of(images, _mirrored((angle.sin() * distance).round().long(), height))
    columns = on_device_of(images, _mirrored((angle.cos() * distance).round().long(), width))
    return _take(images, (rows[:, :, None] * width + columns[:, None, :]).flatten(1))


def _grid(images: Tensor, value: float) -> int:
    height, width = images.shape[-2:]
    return max(1, min(int(value), height, width))


@lru_cache
def _starts(length: int, grid: int) -> Tensor:
    """Return where the tiles begin, and the end: shape (grid + 1,)."""
    return torch.arange(grid + 1) * length // grid


@lru_cache
def _last_starts(length: int, grid: int) -> Tensor:
    """Return the last position at which the content of each tile may begin: shape (grid,)."""
    return length - _starts(length, grid).diff()


def _spread(per_tile: Tensor, height: int, width: int) -> Tensor:
    """Give every pixel the value of its tile: (N, grid, grid) -> (N, H, W), on the same device."""
    grid = per_tile.shape[-1]
    rows, columns = (kept_on(per_tile.device, _tile_of, length, grid) for length in (height, width))
    return per_tile.index_select(2, columns).index_select(1, rows)


# 32-bit indices halve the memory traffic of a gather.
@lru_cache
def _pixels(count: int) -> Tensor:
    return torch.arange(count, dtype=torch.int32)


@lru_cache
def _tile_of(length: int, grid: int) -> Tensor:
    return torch.repeat_interleave(torch.arange(grid), _starts(length, grid).diff())


def _take_tiles(images: Tensor, source_rows: Tensor, source_columns: Tensor) -> Tensor:
    """Fill every tile from another region of its image, moved inside the image where it would leave it.

    Args:
        images: (N, 3, H, W).
        source_rows: (N, grid, grid), the row at which the source of each tile begins.
        source_columns: (N, grid, grid), the column.

    Returns:
        (N, 3, H, W).
    """
    height, width = images.shape[-2:]
    grid = source_rows.shape[-1]
    rows, columns = _starts(height, grid), _starts(width, grid)
    top = torch.minimum(source_rows.clamp_min(0), _last_starts(height, grid)[:, None])
    left = torch.minimum(source_columns.clamp_min(0), _last_starts(width, grid))
    on_cpu = images.device.type == "cpu" and not images.requires_grad
    # On the CPU every image is a batch of its own (apply.py).
    if on_cpu and len(images) == 1 and grid <= _COPIED_GRID:
        return _copied_tiles(images, top[0].tolist(), left[0].tolist())
    # One number a tile goes to the device, and becomes one a pixel there: a CPU would take as long as a network.
    offset = on_device_of(images, ((top - rows[:-1, None]) * width + (left - columns[None, :-1])).int())
    index = _spread(offset, height, width).flatten(1).add_(kept_on(images.device, _pixels, height * width))
    return _take(images, index)


def _copied_tiles(images: Tensor, top: list[list[int]], left: list[list[int]]) -> Tensor:
    """Do the same as ``_take_tiles`` for one image, (1, 3, H, W), whose sources lie inside it."""
    taken = torch.empty_like(images)
    # NumPy copies a tile in a fifth of the time that torch takes to address it.
    source, target = images[0].numpy(), taken[0].numpy()
    rows, columns = (list(pairwise(_starts(length, len(top)).tolist())) for length in images.shape[-2:])
    for (start, end), tops, lefts in zip(rows, top, left, strict=True):
        for (first, last), y, x in zip(columns, tops, lefts, strict=True):
            target[:, start:end, first:last] = source[:, y : y + end - start, x : x + last - first]
    return taken


def _take(images: Tensor, index: Tensor) -> Tensor:
    """Read every pixel of every channel from a flat index, (N, H * W) of 32 or 64 bits, on the images' device."""
    count, channels, height, width = images.shape
    # One index_select on whole planes reads each index once for all three channels; gather would need it three times.
    planes = images.transpose(0, 1).flatten(1)
    starts = torch.arange(count, dtype=index.dtype, device=index.device)[:, None] * (height * width)
    taken = planes.index_select(1, (index + starts).flatten())
    return taken.view(channels, count, height, width).transpose(0, 1)


@lru_cache
def _turned_indices(height: int, width: int, grid: int) -> Tensor:
    """Return, for turns by 90, 180 and 270 degrees, the flat index each pixel reads: shape (3, H, W)."""
    row, tile_height, top = _within_tile(height, grid)
    column, tile_width, left = _within_tile(width, grid)
    # Relative positions of pixel centers, so that turns map tiles that are not square onto themselves.
    down, across = (row + 0.5) / tile_height, (column + 0.5) / tile_width
    down, across = down[:, None].expand(height, width), across[None, :].expand(height, width)
    corner = top[:, None] * width + left[None, :]
    turned = ((across, 1 - down), (1 - down, 1 - across), (1 - across, down))
    offsets = ((v * tile_height[:, None]).long() * width + (u * tile_width[None, :]).long() for v, u in turned)
    return torch.stack([corner + offset for offset in offsets])


def _within_tile(length: int, grid: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return for every pixel its offset in its tile, the tile's length and the tile's start, as (length,) tensors."""
    starts, tile = _starts(length, grid), _tile_of(length, grid)
    return (torch.arange(length) - starts[tile]).double(), starts.diff()[tile].double(), starts[tile]


def _mirrored(shift: Tensor, length: int) -> Tensor:
    """Return the mirrored source positions of a shift: (N,) -> (N, length)."""
    position = torch.arange(length)[None, :] + shift[:, None]
    period = max(1, 2 * (length - 1))
    position = position.remainder(period)
    return torch.minimum(position, period - position)
