/** A real Chromium for tests of pages. It needs the system's own (package chromium): nothing is downloaded. */
import { accessSync, constants } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join, resolve } from 'node:path'
import { type BrowserContext, type Browser as Chromium, chromium, type Page, type Request } from 'playwright-core'
import { waitFor } from './wait-for.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Screenshots of a run, for people: not kept in the repository. */
const ARTEFACTS = resolve(import.meta.dirname, '..', 'artefacts', 'portal')

/** Nobody looks at more. */
const MOST_PIXELS = 12_000

/** Of a test that looks at many pages in every look: on a busy machine each picture takes a second. */
export const LOOKING = { timeout: 360_000 } as const

/** For tests of other rooms, which know the browser by this file alone. */
export type { Page }

export type Scheme = 'light' | 'dark'
export type Width = 1280 | 390

export interface Look {
  readonly scheme: Scheme
  readonly width: Width
}
const FIRST_LOOK: Look = { scheme: 'light', width: 1280 }
const sizeOf = (width: Width) => ({ width, height: width === 390 ? 844 : 800 })

/** In which every page is looked at. */
const LOOKS: readonly (readonly [Scheme, Width])[] = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
]

/** Undefined where it can be started, else why not. */
export function browserMissing(): string | undefined {
  return program() === undefined ? 'chromium (package chromium) is missing' : undefined
}

function program(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return folders
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export class Browser implements AsyncDisposable {
  readonly #chromium: Chromium

  private constructor(started: Chromium) {
    this.#chromium = started
  }

  /** `flags`: more of Chromium's own. */
  static async start(flags: readonly string[] = []): Promise<Browser> {
    const executablePath = program()
    if (executablePath === undefined) throw new Error(browserMissing())
    return new Browser(await chromium.launch({ executablePath, args: [...FLAGS, ...flags] }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close()
  }

  /** Somebody new, with an empty cache and no cookies. */
  async visitor(origin: string, look: Partial<Look> = {}): Promise<Visitor> {
    const context = await this.#context(origin, look)
    return new Visitor({ page: await context.newPage(), origin, look: { ...FIRST_LOOK, ...look }, close: () => context.close() })
  }

  /** People at one portal. */
  portal(origin: string, person: Account): Portal {
    return new Portal(origin, person, () => this.#context(origin, FIRST_LOOK))
  }

  #context(origin: string, look: Partial<Look>): Promise<BrowserContext> {
    const { scheme, width } = { ...FIRST_LOOK, ...look }
    // Nothing moves: what is looked at is what stays.
    return this.#chromium.newContext({ baseURL: origin, colorScheme: scheme, viewport: sizeOf(width), reducedMotion: 'reduce' })
  }
}

export interface Account {
  readonly name: string
  readonly password: string
}

/** Each person signs in once, and has one browser with as many pages as a test needs: what was loaded stays loaded. */
export class Portal {
  readonly #origin: string
  readonly #person: Account
  readonly #context: () => Promise<BrowserContext>
  readonly #browsers = new Map<string, BrowserContext>()

  constructor(origin: string, person: Account, context: () => Promise<BrowserContext>) {
    this.#origin = origin
    this.#person = person
    this.#context = context
  }

  /** Signed in, at this page. */
  async visit(path: string, person = this.#person): Promise<Visitor> {
    const known = this.#browsers.get(person.name)
    const context = known ?? (await this.#context())
    const page = await context.newPage()
    const visitor = new Visitor({ page, origin: this.#origin, look: FIRST_LOOK, close: () => page.close() })
    await page.goto(path)
    if (known) return visitor
    await visitor.signIn(person)
    this.#browsers.set(person.name, context)
    return visitor
  }
}

interface VisitorParts {
  readonly page: Page
  readonly origin: string
  readonly look: Look
  readonly close: () => Promise<void>
}

/** One person at one screen: what the pages did wrong meanwhile is kept. */
export class Visitor implements AsyncDisposable {
  readonly page: Page
  /** Errors in the console and of scripts; requests to elsewhere. */
  readonly complaints: string[] = []
  readonly #close: () => Promise<void>
  readonly #asked = new Set<Request>()
  #look: Look

  constructor({ page, origin, look, close }: VisitorParts) {
    this.page = page
    this.#close = close
    this.#look = look
    // A 401 before the sign-in, or a 404 that a test asks for, is said on the console too: it is an answer and no fault of the page.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.complaints.push(message.text())
    })
    page.on('pageerror', (cause) => this.complaints.push(cause.message))
    page.on('requestfinished', (request) => void this.#asked.delete(request))
    page.on('requestfailed', (request) => void this.#asked.delete(request))
    page.on('request', (request) => {
      this.#asked.add(request)
      if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) this.complaints.push(`asked ${request.url()}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  /** At the page that asks for it; the page that was asked for comes after it. */
  async signIn({ name, password }: Account): Promise<void> {
    const { page } = this
    await page.getByRole('textbox', { name: 'Name' }).fill(name)
    await page.getByRole('textbox', { name: 'Password' }).fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'attached' })
  }

  /** A screenshot, and what is wrong with what it shows: barriers, and what hangs over the window. */
  async look(name: string): Promise<readonly string[]> {
    return [...(await this.#seen(name)), ...(await this.#barred(name))]
  }

  /**
   * The same in light and dark, wide and on a phone: the window changes, and the page goes along. Barriers are looked for in light on the
   * wide screen and in dark on the phone: so every colour and every layout is looked at once.
   */
  async looks(name: string): Promise<readonly string[]> {
    await waitFor('nothing is asked for any more', async () => this.#asked.size === 0, Boolean)
    const before = this.#look
    const wrong: string[] = []
    for (const [scheme, width] of LOOKS) {
      await this.become({ scheme, width })
      wrong.push(...(await this.#seen(name)))
      if ((scheme === 'light') === (width === 1280)) wrong.push(...(await this.#barred(name)))
    }
    await this.become(before)
    return wrong
  }

  /** artefacts/portal/NAME-SCHEME-WIDTH.png: the whole page, in a window that is as high as it. */
  async shot(name: string): Promise<void> {
    await mkdir(ARTEFACTS, { recursive: true })
    const { page } = this
    const { scheme, width } = this.#look
    const window = page.viewportSize()
    const height: number = await page.evaluate('document.documentElement.scrollHeight')
    const grows = window !== null && height > window.height
    if (grows) await page.setViewportSize({ width: window.width, height: Math.min(height, MOST_PIXELS) })
    await page.screenshot({ path: join(ARTEFACTS, `${name}-${scheme}-${width}.png`), animations: 'disabled' })
    if (grows) await page.setViewportSize(window)
  }

  /** By how many pixels the page is wider than the window: nobody shall scroll sideways. */
  overhang(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
  }

  /** What keeps somebody from using the page (WCAG 2.2 A and AA, by axe): each as "rule: element". */
  async barriers(): Promise<readonly string[]> {
    const { page } = this
    if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(await axeSource())
    // As text: it runs in the page, whose globals are not ours.
    const found: AxeResult = await page.evaluate(`axe.run(document, ${JSON.stringify(AXE)})`)
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
  }

  async #seen(name: string): Promise<readonly string[]> {
    await this.shot(name)
    const pixels = await this.overhang()
    return pixels > 0 ? [`${this.#told(name)} hangs over by ${pixels}`] : []
  }

  async #barred(name: string): Promise<readonly string[]> {
    return (await this.barriers()).map((barrier) => `${this.#told(name)}: ${barrier}`)
  }

  readonly #told = (name: string): string => `${name} in ${this.#look.scheme} at ${this.#look.width}`

  /** The window changes, and the page goes along. */
  async become(look: Look): Promise<void> {
    const { page } = this
    this.#look = look
    await page.emulateMedia({ colorScheme: look.scheme })
    await page.setViewportSize(sizeOf(look.width))
    await page.waitForFunction(SETTLED, look.scheme)
  }
}

/** The page has taken the colours, and what follows from the width is drawn. Runs in the page. */
const SETTLED = `(scheme) =>
  document.documentElement.dataset.mantineColorScheme === scheme &&
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`

/** Only what is wrong is wanted; sheets of styles need not be read for any of these rules. */
const AXE = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'], preload: false }

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
}

let axeText: Promise<string> | undefined
function axeSource(): Promise<string> {
  axeText ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  return axeText
}
