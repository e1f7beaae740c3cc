"""Paths of simulated ants in a round arena: they walk, rest, meet, touch, climb over each other and leave.

Points are (x, y) in px, y downwards; headings are radians in these axes (0 = right, pi/2 = down).
"""

from dataclasses import dataclass

import numpy as np

from herdbook.arrays import Bools, Floats, Ints
from herdbook.geometry.ellipses import wrap_angle

_REST, _WALK, _RUN = 0, 1, 2
_STATE_SHARE = np.array([0.32, 0.5, 0.18])
_STATE_MEAN_S = np.array([3.5, 5.0, 1.5])
_STATE_SPEED = np.array([0.0, 1.3, 2.8])  # body lengths per second

_INSIDE, _LEAVING, _HIDDEN, _RETURNING = 0, 1, 2, 3

DOOR_HALF_WIDTH_PX = 24.0

# Distances in body lengths: a body is about a quarter of its length wide, so bodies whose axes are closer than this touch.
CONTACT_GAP = 0.27
_PARTED_GAP = 0.5
_WALL_SENSE = 1.2
_HIDDEN_DEPTH = 0.85  # beyond the arena's edge; nothing of a body is visible from there

_MAX_TURN = 6.0  # rad/s
_SPEED_DELAY_S = 0.15
_TURN_DELAY_S = 0.2
_TURN_NOISE = 5.0  # rad/s per square root of a second


@dataclass(frozen=True)
class RoundArena:
    """A round arena: centre and radius in px; `door` is the angle (rad) of the gap in its rim, None for no gap."""

    x: float
    y: float
    radius: float
    door: float | None


@dataclass(frozen=True)
class SimulatedPaths:
    """Positions and postures of all animals; each array has shape (frames, animals).

    Attributes:
        x, y: float64, centroid of the body in px; continues under the rim while the animal is outside.
        heading: float64, rad in (-pi, pi].
        phase: float64, gait phase in rad, grows with the distance walked.
        bend: float64, rad, angle by which head and abdomen bend in a curve.
        present: bool, whether the centroid is inside the arena.
        layer: int64, drawing order within a frame; the animal with the higher number covers the other.

    """

    x: Floats
    y: Floats
    heading: Floats
    phase: Floats
    bend: Floats
    present: Bools
    layer: Ints


def simulate_paths(
    number: int, frames: int, fps: float, arena: RoundArena, rng: np.random.Generator, *, body_length_px: float
) -> SimulatedPaths:
    """Simulate the paths of `number` ants over `frames` frames.

    A correlated random walk with three states of speed (rest, walk, run) and avoidance of the wall. Ants approach partners, and touch them
    for 0.5 to 4 s or climb over them. With a door, ants leave through it and return.
    """
    colony = _Colony(number, 1.0 / fps, arena, rng, body_length_px)
    columns = {name: np.empty((frames, number)) for name in ("x", "y", "heading", "phase", "bend")}
    present = np.empty((frames, number), dtype=bool)
    layer = np.empty((frames, number), dtype=np.int64)
    for frame in range(frames):
        colony.step()
        for name, column in columns.items():
            column[frame] = getattr(colony, name)
        present[frame] = colony.radial() <= arena.radius
        layer[frame] = np.argsort(np.argsort(colony.climbs, kind="stable"), kind="stable")
    columns["heading"] = wrap_angle(columns["heading"])
    return SimulatedPaths(**columns, present=present, layer=layer)


def measure_gaps(x: Floats, y: Floats, heading: Floats, body_length_px: float) -> Floats:
    """Measure the distance between the body axes of all pairs of animals.

    Takes arrays of shape (animals,), px and rad; returns (animals, animals) in px, inf on the diagonal. Each axis is represented by five
    points, so the result is at most 3 % of a body length too large.
    """
    along = np.array([-0.36, -0.18, 0.0, 0.18, 0.36]) * body_length_px
    px = x[:, None] + np.cos(heading)[:, None] * along
    py = y[:, None] + np.sin(heading)[:, None] * along
    squared = (px[:, None, :, None] - px[None, :, None, :]) ** 2
    squared += (py[:, None, :, None] - py[None, :, None, :]) ** 2
    gaps: Floats = np.sqrt(squared.min(axis=(2, 3)))
    np.fill_diagonal(gaps, np.inf)
    return gaps


class _Colony:
    """The state of all ants at one moment; arrays have shape (animals,), except those of pairs, (animals, animals)."""

    def __init__(self, number: int, dt: float, arena: RoundArena, rng: np.random.Generator, body_length_px: float) -> None:
        self.dt, self.arena, self.rng, self.length = dt, arena, rng, body_length_px
        self.x, self.y = _scatter(number, arena, body_length_px, rng)
        self.heading = rng.uniform(-np.pi, np.pi, number)
        self.phase = rng.uniform(0, 2 * np.pi, number)
        self.bend = np.zeros(number)
        self.speed = np.zeros(number)
        self.turn = np.zeros(number)
        self.pace = rng.uniform(0.85, 1.15, number)
        self.vigour = np.zeros(number)
        self.state = rng.choice(3, number, p=_STATE_SHARE)
        self.state_left_s = rng.exponential(_STATE_MEAN_S[self.state])
        self.partner = np.full(number, -1)
        self.partner_left_s = np.zeros(number)
        self.calm_s = rng.uniform(0, 4, number)  # time before a new partner is chosen
        self.held_s = np.zeros(number)  # remaining time of standing in a touch
        self.hurry_s = np.zeros(number)  # remaining time of climbing over another without stopping
        self.climbs = np.arange(number)
        self.outing = np.full(number, _INSIDE)
        self.hidden_s = np.zeros(number)
        self.met = np.zeros((number, number), dtype=bool)
        self.climbing = np.zeros((number, number), dtype=bool)

    def step(self) -> None:
        """Advance by one frame."""
        for clock in (
            self.state_left_s,
            self.partner_left_s,
            self.calm_s,
            self.held_s,
            self.hurry_s,
            self.hidden_s,
        ):
            clock -= self.dt
        self._change_state()
        if self.arena.door is not None:
            self._go_out(self.arena.door)
        self._seek_partner()
        self._meet()
        self._move(self._steer())

    def radial(self) -> Floats:
        """Distance of each centroid from the arena's centre, px."""
        return np.hypot(self.x - self.arena.x, self.y - self.arena.y)

    def _change_state(self) -> None:
        due = np.flatnonzero(self.state_left_s <= 0)
        self.state[due] = self.rng.choice(3, due.size, p=_STATE_SHARE)
        self.state_left_s[due] = 0.4 + self.rng.exponential(_STATE_MEAN_S[self.state[due]])

    def _go_out(self, door: float) -> None:
        radial, radius, number = self.radial(), self.arena.radius, self.x.size
        chosen = (self.outing == _INSIDE) & (self.rng.random(number) < self.dt / 60.0)
        self.outing[chosen & (self.hidden_s < -20.0)] = _LEAVING
        gone = (self.outing == _LEAVING) & (radial > radius + _HIDDEN_DEPTH * self.length)
        self.outing[gone] = _HIDDEN
        self.hidden_s[gone] = self.rng.uniform(2.0, 12.0, int(gone.sum()))
        back = (self.outing == _HIDDEN) & (self.hidden_s <= 0)
        self.outing[back] = _RETURNING
        self.heading[back] = door + np.pi + self.rng.normal(0, 0.15, int(back.sum()))
        inside = (self.outing == _RETURNING) & (radial < radius - 0.8 * self.length)
        self.outing[inside] = _INSIDE

    def _seek_partner(self) -> None:
        lost = (self.partner_left_s <= 0) | (self.outing != _INSIDE) | (self.outing[self.partner] != _INSIDE)
        self.partner[lost] = -1
        keen = (self.partner < 0) & (self.calm_s <= 0) & (self.state != _REST) & (self.outing == _INSIDE)
        for ant in np.flatnonzero(keen & (self.rng.random(self.x.size) < self.dt / 2.5)):
            distance = np.hypot(self.x - self.x[ant], self.y - self.y[ant])
            weight = np.exp(-distance / (2.5 * self.length)) * (self.outing == _INSIDE)
            weight[ant] = 0.0
            if weight.sum() > 0:
                self.partner[ant] = self.rng.choice(weight.size, p=weight / weight.sum())
                self.partner_left_s[ant] = 6.0

    def _meet(self) -> None:
        """Decide for each new contact of a pair: one climbs over the other, or they touch."""
        gaps = measure_gaps(self.x, self.y, self.heading, self.length)
        hidden = self.outing == _HIDDEN
        gaps[hidden] = np.inf
        gaps[:, hidden] = np.inf
        begun = ~self.met & (gaps < CONTACT_GAP * self.length)
        self.met = (self.met & (gaps < _PARTED_GAP * self.length)) | begun
        self.climbing &= self.met
        for one, other in zip(*np.nonzero(np.triu(begun)), strict=True):
            pair = np.array([one, other])
            self.partner[pair] = -1
            self.calm_s[pair] = self.rng.uniform(3.0, 9.0, 2)
            busy = bool((self.outing[pair] != _INSIDE).any() or (self.hurry_s[pair] > 0).any())
            if busy or self.rng.random() < 0.4:
                upper = one if self.speed[one] >= self.speed[other] else other
                self.climbs[upper] = self.climbs.max() + 1
                self.hurry_s[upper] = 1.2
                self.climbing[one, other] = self.climbing[other, one] = True
            else:
                self.held_s[pair] = np.maximum(self.held_s[pair], self.rng.uniform(0.5, 4.0))

    def _steer(self) -> Floats:
        """Return the intended turn rate (rad/s) of each ant."""
        arena, length = self.arena, self.length
        dx, dy = self.x - arena.x, self.y - arena.y
        outward = wrap_angle(np.arctan2(dy, dx) - self.heading)  # of the wall, seen from the head
        nearness = np.clip((np.hypot(dx, dy) + _WALL_SENSE * length - arena.radius) / length, 0.0, 1.0)
        facing = np.cos(outward) > -0.1
        aim = -np.sign(outward) * 5.0 * nearness * facing
        sought = self.partner >= 0
        aim += sought * self._turn_towards(self.x[self.partner], self.y[self.partner])
        shunned = self.met & ~self.climbing
        if shunned.any():
            side = np.arctan2(self.y - self.y[:, None], self.x - self.x[:, None]) - self.heading[:, None]
            aim -= (5.0 * np.sign(np.sin(side)) * (np.cos(side) > -0.5) * shunned).sum(axis=1)
        out = np.flatnonzero((self.outing == _LEAVING) | (self.outing == _RETURNING))
        if out.size and arena.door is not None:
            reach = np.where(self.outing == _LEAVING, arena.radius + length, arena.radius - 2 * length)
            gate_x = arena.x + reach * np.cos(arena.door)
            gate_y = arena.y + reach * np.sin(arena.door)
            aim[out] = self._turn_towards(gate_x, gate_y)[out]
        return aim

    def _turn_towards(self, x: Floats, y: Floats) -> Floats:
        return 4.0 * wrap_angle(np.arctan2(y - self.y, x - self.x) - self.heading)

    def _move(self, aim: Floats) -> None:
        dt, length = self.dt, self.length
        wanted = _STATE_SPEED[self.state]
        busy = (self.outing != _INSIDE) | (self.hurry_s > 0) | (self.partner >= 0)
        wanted = np.where(busy, np.maximum(wanted, _STATE_SPEED[_WALK]), wanted)
        wanted[(self.outing == _LEAVING) & (self.radial() > self.arena.radius - length)] = _STATE_SPEED[_RUN]
        standing = (self.outing == _HIDDEN) | ((self.held_s > 0) & (self.hurry_s <= 0))
        wanted[standing] = 0.0
        self.vigour += -self.vigour * dt / 0.5 + 0.25 * np.sqrt(dt / 0.5) * self.rng.standard_normal(self.x.size)
        wanted = wanted * self.pace * np.clip(1.0 + self.vigour, 0.3, 1.7) * length
        self.speed += (wanted - self.speed) * min(1.0, dt / _SPEED_DELAY_S)
        noise = _TURN_NOISE * np.sqrt(dt) * self.rng.standard_normal(self.x.size)
        self.turn += (aim - self.turn) * min(1.0, dt / _TURN_DELAY_S) + noise
        self.turn = np.clip(self.turn, -_MAX_TURN, _MAX_TURN)
        # A standing ant hardly turns.
        turned = self.turn * np.clip(self.speed / (_STATE_SPEED[_WALK] * length), 0.02, 1.0) * dt
        self.heading = self.heading + turned
        self.bend += (np.clip(0.08 * turned / dt, -0.35, 0.35) - self.bend) * min(1.0, dt / 0.2)
        self.x = self.x + self.speed * dt * np.cos(self.heading)
        self.y = self.y + self.speed * dt * np.sin(self.heading)
        self.phase = self.phase + 2 * np.pi * self.speed * dt / (0.55 * length)
        self._stay_inside()

    def _stay_inside(self) -> None:
        """Push back ants whose head or abdomen would extend under the rim, except in the door."""
        arena, half = self.arena, 0.45 * self.length
        over = np.zeros(self.x.size)
        for end in (-half, half):
            x = self.x + end * np.cos(self.heading) - arena.x
            y = self.y + end * np.sin(self.heading) - arena.y
            over = np.maximum(over, np.hypot(x, y) - (arena.radius - 0.12 * self.length))
        dx, dy = self.x - arena.x, self.y - arena.y
        if arena.door is not None:
            aside = np.abs(dx * np.sin(arena.door) - dy * np.cos(arena.door))
            in_front = dx * np.cos(arena.door) + dy * np.sin(arena.door) > 0
            passing = (self.outing != _INSIDE) & in_front & (aside < DOOR_HALF_WIDTH_PX)
            over[passing] = 0.0
        radial = np.maximum(np.hypot(dx, dy), 1e-9)
        # Spread over several frames, so that there is no jump at the wall.
        push = np.minimum(over, 0.1 * self.length) / radial
        self.x = self.x - push * dx
        self.y = self.y - push * dy


def _scatter(number: int, arena: RoundArena, body_length_px: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Random positions, px, at least two body lengths apart if the arena is large enough."""
    x, y = np.empty(number), np.empty(number)
    for ant in range(number):
        radial = (arena.radius - body_length_px) * np.sqrt(rng.random(100))
        angle = rng.uniform(-np.pi, np.pi, 100)
        tries_x, tries_y = arena.x + radial * np.cos(angle), arena.y + radial * np.sin(angle)
        apart = np.full(100, np.inf)
        for placed in range(ant):
            apart = np.minimum(apart, np.hypot(tries_x - x[placed], tries_y - y[placed]))
        roomy = np.flatnonzero(apart > 2 * body_length_px)
        best = roomy[0] if roomy.size else np.argmax(apart)
        x[ant], y[ant] = tries_x[best], tries_y[best]
    return x, y
