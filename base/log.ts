import { type DestinationStream, destination, type Logger, pino } from 'pino'

export type Log = Logger

/** Reads the lines of a log as they are written. */
interface LineSink {
  write(line: string): void
}

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
 * INFO = changes of state only, DEBUG = the rest. `besides` gets every line too.
 */
export function createLog(name: string, level = process.env['POSTERN_LOG'] ?? 'info', besides?: LineSink): Log {
  const stderr = destination({ dest: 2, sync: false })
  return pino(
    {
      name,
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.password', '*.secret', '*.key', '*.token', '*.authorization', 'req.headers.authorization'], censor: '[secret]' },
    },
    besides ? both(stderr, besides) : stderr,
  )
}

function both(
  stderr: DestinationStream & { flushSync(): void },
  besides: LineSink,
): DestinationStream & { flush(done?: () => void): void } {
  return {
    write: (line) => {
      stderr.write(line)
      besides.write(line)
    },
    flush: (done) => {
      stderr.flushSync()
      done?.()
    },
  }
}

/** Swallows everything: for commands and tests that speak otherwise. */
export const silentLog: Log = pino({ level: 'silent' })
