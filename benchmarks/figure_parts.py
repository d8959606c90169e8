"""Axes and pages of the figures of the docs, as SVG."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
WIDTH, HEIGHT, LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT = 640, 420, 64, 24, 400, 330


def axes(x_ticks: dict[str, float], y_ticks: dict[str, float], x_title: str, y_title: str) -> list[str]:
    """Draw grid, numbers and titles; ticks are places from 0 to 1 by their text."""
    bottom, right = TOP + PLOT_HEIGHT, LEFT + PLOT_WIDTH
    parts = []
    for text, place in x_ticks.items():
        x = LEFT + PLOT_WIDTH * place
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>')
    for text, place in y_ticks.items():
        y = bottom - PLOT_HEIGHT * place
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    middle = TOP + PLOT_HEIGHT / 2
    parts.append(f'<text x="{LEFT + PLOT_WIDTH / 2}" y="{bottom + 42}" text-anchor="middle">{x_title}</text>')
    parts.append(f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{y_title}</text>')
    return parts


def page(title: str, parts: list[str]) -> str:
    """Return a standalone SVG file."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    white = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join(
        [f'{head} font-family="sans-serif" font-size="12">', f"<title>{title}</title>", white, *parts, "</svg>\n"]
    )
