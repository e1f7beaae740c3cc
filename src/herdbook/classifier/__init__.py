"""From images of animals to evidence for names: examples, networks, training, calibration, and reading whole tracklets."""
