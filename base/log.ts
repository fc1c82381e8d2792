import { destination, type Logger, pino } from 'pino'

export type Log = Logger

/** A value that must not be seen. It prints as "[secret]" everywhere: in logs, errors, JSON and the inspector. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The one way to the value: call it where the value leaves for its destination, nowhere else. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/**
 * JSON lines to stderr: stdout belongs to what a command answers. ERROR = wake someone, WARN = look tomorrow,
 * INFO = changes of state only, DEBUG = the rest. `to`: who reads the lines instead.
 */
export function createLog(
  name: string,
  level = process.env['POSTERN_LOG'] ?? 'info',
  to: { write(line: string): void } = destination({ dest: 2, sync: false }),
): Log {
  return pino(
    {
      name,
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.password', '*.secret', '*.key', '*.token', '*.authorization', 'req.headers.authorization'], censor: '[secret]' },
    },
    to,
  )
}

/** Swallows everything: for commands and tests that speak otherwise. */
export const silentLog: Log = pino({ level: 'silent' })
