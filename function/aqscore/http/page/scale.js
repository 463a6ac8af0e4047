// The scale of all scores and its five classes, as in aqscore/scale.py.

export const LOWEST = 1.04,
  HIGHEST = 4.64;
export const CLASSES = [
  { name: "bad", from: LOWEST, to: 2.0, color: "#f2555a" },
  { name: "poor", from: 2.0, to: 2.75, color: "#f59149" },
  { name: "fair", from: 2.75, to: 3.5, color: "#ecc64b" },
  { name: "good", from: 3.5, to: 4.0, color: "#8fcf5c" },
  { name: "excellent", from: 4.0, to: HIGHEST, color: "#3cc8ab" },
];

export const classOf = (score) => CLASSES.findLast((each) => score >= each.from) ?? CLASSES[0];

// Where a score lies on the scale, 0 to 1.
export const placeOf = (score) => Math.min(1, Math.max(0, (score - LOWEST) / (HIGHEST - LOWEST)));
