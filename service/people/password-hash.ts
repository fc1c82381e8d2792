import { argon2, timingSafeEqual } from 'node:crypto'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'

/** What OWASP asks of argon2id at the least: 19 MiB, two passes, one lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const
const SALT_BYTES = 16
const TAG_BYTES = 32
/** Each takes 19 MiB and one of the four threads that files and names are looked up with too. */
const AT_A_TIME = 2
/** About a second of work; who comes when so many wait is sent away. */
const MOST_WAITING = 32
/** A stored hash may have been made dearer, but not so dear that reading it is an attack. */
const MOST_MEMORY = 262_144
const MOST_PASSES = 10

const FORM = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

interface Cost {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

export interface PasswordCheck {
  readonly right: boolean
  /** It was made at another cost than is asked today: the caller, who has the password now, may make it anew. */
  readonly outdated: boolean
}

/** Passwords to argon2id and back to yes or no, off the event loop, few at a time: a flood of sign-ins takes neither the memory nor the threads. */
export class PasswordHasher {
  readonly #random: Random
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(random: Random) {
    this.#random = random
  }

  async hash(password: string): Promise<string> {
    const salt = Buffer.from(this.#random.bytes(SALT_BYTES))
    const tag = await this.#run(password, salt, TAG_BYTES, COST)
    return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${bare(salt)}$${bare(tag)}`
  }

  /** Without a hash to compare with it takes as long, so that nobody can tell by time which names there are. */
  async check(password: string, stored: string | undefined): Promise<PasswordCheck> {
    const known = stored === undefined ? undefined : parse(stored)
    if (!known) {
      await this.#run(password, Buffer.from(this.#random.bytes(SALT_BYTES)), TAG_BYTES, COST)
      return { right: false, outdated: false }
    }
    const tag = await this.#run(password, known.salt, known.tag.length, known.cost)
    const { memory, passes, parallelism } = known.cost
    const outdated = memory !== COST.memory || passes !== COST.passes || parallelism !== COST.parallelism
    return { right: timingSafeEqual(tag, known.tag), outdated }
  }

  async #run(password: string, salt: Buffer, tagBytes: number, cost: Cost): Promise<Buffer> {
    await this.#turn()
    try {
      return await argon2id(password, salt, tagBytes, cost)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }

  /** Each that waits is given the place of one that ends, so the wait is as long as the queue and no longer. */
  async #turn(): Promise<void> {
    if (this.#running < AT_A_TIME) {
      this.#running += 1
      return
    }
    if (this.#waiting.length >= MOST_WAITING) throw new Fault('SIGN_INS_AT_LIMIT')
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

/** The same letters may be typed as different code points: NFKC makes them one. */
const bytesOf = (password: string) => Buffer.from(password.normalize('NFKC'), 'utf8')
const bare = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

function argon2id(password: string, nonce: Buffer, tagLength: number, cost: Cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message: bytesOf(password), nonce, tagLength, ...cost }, (error, tag) => (error ? reject(error) : resolve(tag)))
  })
}

function parse(stored: string): { readonly cost: Cost; readonly salt: Buffer; readonly tag: Buffer } | undefined {
  const [, memory, passes, parallelism, salt, tag] = FORM.exec(stored) ?? []
  if (salt === undefined || tag === undefined) return undefined
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  if (
    cost.memory > MOST_MEMORY ||
    cost.passes > MOST_PASSES ||
    cost.passes < 1 ||
    cost.parallelism < 1 ||
    cost.memory < 8 * cost.parallelism
  )
    return undefined
  return { cost, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') }
}
