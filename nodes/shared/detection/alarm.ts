import type { ConfigReader } from '../config-reader';
import type { Episode } from '../messages';

/** `votes` of the last `voteWindow` readings must exceed the threshold; `holdOffMs` joins detections to episodes. */
export interface AlarmOptions {
  votes: number;
  voteWindow: number;
  /** 0 = off: every detection stands for itself. */
  holdOffMs: number;
}

export interface AlarmVerdict {
  /** The vote's result. */
  detected: boolean;
  episode?: Episode;
  /** Whether this reading goes to the "detected" output: a detection, or with a hold-off an episode's start or end. */
  announce: boolean;
}

export function parseAlarmOptions(config: ConfigReader): AlarmOptions {
  const voteWindow = config.number('voteWindow', 1, { min: 1, max: 1000, integer: true });
  return {
    voteWindow,
    votes: config.number('votes', 1, { min: 1, max: voteWindow, integer: true }),
    holdOffMs: config.number('holdOff', 0, { min: 0 }) * 1000,
  };
}

/** A reading further behind the latest detection than this and the hold-off is not late: the clock was set back. */
const LATE_MS = 60_000;

/** Turns one source's threshold crossings into detections and episodes, in event time. */
export class AlarmGate {
  private readonly ballots: boolean[] = [];
  private episode: { id: string; start: number; lastDetected: number } | undefined;

  /**
   * @param name makes episode ids: the node and the source.
   * @param options shared by the gates of a node, which may change them; an episode under way then ends by the new ones.
   */
  constructor(
    private readonly name: string,
    private readonly options: AlarmOptions,
  ) {}

  /** @param ts event time of the reading, ms since the epoch. */
  judge(exceeds: boolean, ts: number): AlarmVerdict {
    this.ballots.push(exceeds);
    while (this.ballots.length > this.options.voteWindow) {
      this.ballots.shift();
    }
    const detected = exceeds && this.hasVotes();
    if (this.options.holdOffMs === 0) {
      this.episode = undefined;
      return { detected, announce: detected };
    }
    return this.follow(detected, ts);
  }

  private hasVotes(): boolean {
    let votes = 0;
    for (const exceeded of this.ballots) {
      votes += exceeded ? 1 : 0;
    }
    return votes >= this.options.votes;
  }

  private follow(detected: boolean, ts: number): AlarmVerdict {
    const running = this.episode;
    if (!running) {
      if (!detected) {
        return { detected, announce: false };
      }
      this.episode = { id: `${this.name}:${ts}`, start: ts, lastDetected: ts };
      return { detected, announce: true, episode: { id: this.episode.id, phase: 'start', start: ts } };
    }
    if (running.lastDetected - ts > this.options.holdOffMs + LATE_MS) {
      // The episode would neither end nor give way to another until the source's time has come there again.
      running.lastDetected = ts;
    }
    if (detected) {
      running.lastDetected = Math.max(running.lastDetected, ts);
    } else if (ts - running.lastDetected >= this.options.holdOffMs) {
      this.episode = undefined;
      return { detected, announce: true, episode: { id: running.id, start: running.start, phase: 'end' } };
    }
    return { detected, announce: false, episode: { id: running.id, start: running.start, phase: 'ongoing' } };
  }
}
