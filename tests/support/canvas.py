"""Scripts that ask the page where things are on its canvas."""

# Where a point [x, y] of the movie is on the screen, px of the page.
ON_SCREEN = """([x, y]) => { const view = window.herdbook.view, box = view.picture.getBoundingClientRect();
  const ratio = view.picture.width / box.width, [px, py] = view.to(x, y);
  return [box.left + px / ratio, box.top + py / ratio]; }"""
