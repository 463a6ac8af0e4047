// Bitmaps at the resolution of the screen.

// A canvas of this size, drawn once.
export function drawn(width, height, draw) {
  const canvas = document.createElement("canvas"),
    scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  draw(pen);
  return canvas;
}

// Copies a bitmap to a canvas of this size. Returns the pen, for what moves on top of it.
export function onto(canvas, width, height, base) {
  const scale = devicePixelRatio || 1;
  if (canvas.width !== base.width || canvas.height !== base.height)
    Object.assign(canvas, { width: base.width, height: base.height });
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(base, 0, 0);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}
