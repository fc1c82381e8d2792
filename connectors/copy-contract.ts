/** What a store that is copied from, or into, gives and takes. Part of the contract (contract.ts). Nothing here does I/O. */
import type { Readable } from 'node:stream'
import type { LeftOut, Skip } from './skip-contract.ts'

export type { LeftOut, Skip, SkippedRow } from './skip-contract.ts'

/** What every store's columns are mapped to and from. `decimal` without precision has no bound. */
export type LogicalType =
  | {
      readonly is:
        | 'bool'
        | 'int16'
        | 'int32'
        | 'int64'
        | 'float32'
        | 'float64'
        | 'text'
        | 'bytes'
        | 'date'
        | 'time'
        | 'timestamp'
        | 'timestamptz'
        | 'uuid'
        | 'json'
    }
  | { readonly is: 'decimal'; readonly precision?: number; readonly scale?: number }
  /** Known to the source only (`native`); moves as the source's text. */
  | { readonly is: 'other' }

export interface Column {
  readonly name: string
  readonly type: LogicalType
  /** The type in the source's own words: "numeric(10,2)". */
  readonly native: string
  readonly nullable: boolean
}

/**
 * How the bytes of a part are written, cheapest first for who can take it:
 * `pg-binary`, `pg-text`: PostgreSQL's COPY formats, never parsed on the way;
 * `csv`: RFC 4180, UTF-8, no header, "," and "\n"; NULL is nothing, the empty string is `""`; bool t/f, bytes \x hex,
 * timestamps ISO 8601 with a space, in UTC with "+00" where they have a zone;
 * `csv-raw`: lines as in `csv`, but values are spelled as whoever wrote the file did: for a store whose own types read them;
 * `file`: whole files with their names, unread (connectors/files/bundle.ts); what is counted as rows are files.
 */
export type Encoding = 'file' | 'pg-binary' | 'pg-text' | 'csv-raw' | 'csv'

/** What a source knows of WHAT. JSON: it travels with the plan to the other nodes. */
export interface Shape {
  /** For a person: "public.orders". */
  readonly title: string
  readonly columns: readonly Column[]
  readonly key: readonly string[]
  readonly estimatedRows: number | null
  readonly estimatedBytes: number | null
  /** Of the source's kind; a sink may use `pg-binary` only when kinds and native types are the same. */
  readonly kind: string
  readonly encodings: readonly Encoding[]
  /** It was asked that all parts show one moment, and they can, when one node reads them: see `hold`. */
  readonly oneMoment?: 'on-one-node'
  /** The source's own facts. */
  readonly own: unknown
}

/** What can be told of a target before its source is known. JSON: the source may be another node's. */
export interface Expected {
  /** Of a table that is there: a source that would have to guess its types takes these. */
  readonly columns?: readonly Column[]
  /** How files will be written: a source whose files are so already gives them as they are. */
  readonly files?: { readonly format: string; readonly compression: string; readonly dialect: string; readonly single: boolean }
  /** Rows that cannot be read are left out, and told to `read`'s `left`: a broken line is no reason to refuse its file. */
  readonly skip?: boolean
}

/** Rows by their values in one column, as text; no bound = open. `nulls`: with those that have no value there. */
export interface KeyRange {
  readonly column: string
  readonly from: string | null
  /** Not with it. */
  readonly below: string | null
  readonly nulls: boolean
}

/** One part of a source: JSON, the source's own. */
export interface Part {
  readonly name: string
  readonly estimatedRows: number | null
  /** Where the part is a range of a whole number, a date or a moment: which rows it has can then be told in a copy of the table too. */
  readonly range?: KeyRange
  readonly own: unknown
}

/** A point in time that several readers share. It lasts while the object is not disposed. */
export interface Snapshot extends AsyncDisposable {
  readonly id: string
}

export interface PartStream {
  readonly bytes: Readable
  /** Rows of the part as the source counted them, with those that it left out; known once the stream has ended. */
  rows(): number
}

/** Order-free, additive: of two disjoint sets the sums add up, so "after minus before" is what a copy added. */
export interface Digest {
  readonly rows: number
  /** Sum over rows of the first 60 bits of md5 over the row's canonical text (connectors/digest.ts); decimal; null if only counted. */
  readonly checksum: string | null
}
export interface DigestRequest {
  readonly columns: readonly Column[]
  readonly checksum: boolean
}

/** Of one copy, over the store's own settings: those that the schema marks `.meta({ copy: true })`. */
export type CopyOptions = Readonly<Record<string, string | number | boolean>>

export interface Source {
  /** `options` hold for this copy: what of them matters later belongs into the shape. `expected` may be left unheeded. */
  describe(what: string, options: CopyOptions, signal: AbortSignal, expected?: Expected): Promise<Shape>
  /** Only where `can.source.snapshot`. */
  snapshot?(signal: AbortSignal): Promise<Snapshot>
  /** Only of a shape with `oneMoment`: a snapshot that this session alone can read under, so that all parts must be read on this node. */
  hold?(shape: Shape, signal: AbortSignal): Promise<Snapshot>
  /** Parts that cover all rows once. `wanted` is a wish: fewer where it cannot be cut. `encoding` is what they will be read in. */
  split(
    shape: Shape,
    options: {
      readonly wanted: number | null
      readonly snapshot: string | null
      readonly encoding?: Encoding
      /** The column to cut by; the source's choice when left out. */
      readonly splitBy?: string
    },
    signal: AbortSignal,
  ): Promise<readonly Part[]>
  /**
   * Incremental copies: the shape of the rows with from < column <= to, where `to` is the largest value there is; `to` is null when there
   * is no row above `from`. Refuses columns that have no order, and rows without a value there, which no copy would ever take.
   */
  above?(
    request: { readonly shape: Shape; readonly column: string; readonly from: string | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<{ readonly shape: Shape; readonly to: string | null }>
  /**
   * `left`: of a shape that was described with `skip`, takes the rows that cannot be read, each before any row that comes after it is in
   * `bytes`. Their `bytes` are those of the file.
   */
  read(
    request: {
      readonly shape: Shape
      readonly part: Part
      readonly encoding: Encoding
      readonly snapshot: string | null
      readonly left?: LeftOut
    },
    signal: AbortSignal,
  ): Promise<PartStream>
  /** Rows of such a shape that cannot be read are counted, and are in no checksum. `part` null is all of it; `parts` are then those of the plan, for a source that must not look at what came since. */
  digest(
    request: DigestRequest & {
      readonly shape: Shape
      readonly part: Part | null
      readonly snapshot: string | null
      readonly parts?: readonly Part[]
      readonly encoding?: Encoding
    },
    signal: AbortSignal,
  ): Promise<Digest>
}

/** Which copy, which part of it, which try: in the target it makes the commit record. */
export interface Slot {
  readonly run: string
  readonly task: string
  readonly attempt: number
}

export interface Prepare {
  readonly run: string
  readonly shape: Shape
  readonly where: string
  readonly mode: 'append' | 'overwrite' | 'upsert'
  readonly key: readonly string[]
  /** What both ends can, cheapest first: the sink takes the first that suits the target as it is. */
  readonly encodings: readonly [Encoding, ...Encoding[]]
  /** Whether `digest` will be asked for checksums: a sink that appends then takes its baseline now. */
  readonly verify: 'none' | 'counts' | 'checksum'
  /** Only where `can.sink.folders`: rows go to folders by their values in these columns, as `year=2026/`. */
  readonly partitionBy?: readonly string[]
  readonly options?: CopyOptions
}

/** What a sink decided while preparing. JSON: it travels with the plan. */
export interface Target {
  readonly title: string
  /** One of those that were offered. */
  readonly encoding: Encoding
  /** The source's columns as they are named and typed in the target, in the source's order. */
  readonly columns: readonly Column[]
  /** Columns of the source that the target makes itself: not to be read. `columns` is without them. Only of shapes of the sink's own kind. */
  readonly omits?: readonly string[]
  /** True when `where` can take one part only (a single file). */
  readonly single: boolean
  /** True when the bytes are read and written anew in another format (Parquet, NDJSON), not passed on: the lane is then columnar. */
  readonly converts?: boolean
  readonly notes: readonly string[]
  /** The sink's own facts: staging names, baseline. */
  readonly own: unknown
}

/** Proof that a part is in the target, kept in the target itself. */
export interface Commit {
  readonly rows: number
  readonly bytes: number
  readonly attempt: number
  /** Rows left out (`PartWrite.skip`); kept with the record, so that an attempt that finds it knows. */
  readonly skipped?: number
}

export interface PartWrite {
  readonly target: Target
  readonly slot: Slot
  /** Its place in the plan. */
  readonly part: number
  readonly bytes: Readable
  /** To be called with the rows that the store took, before they are committed; throws when the source sent another number. */
  readonly agree: (rows: number) => void
  /** Only where `can.sink.skips`: rows that cannot be taken are told here and left out. */
  readonly skip?: Skip
  /**
   * Only where `can.sink.repairs`: tasks of this run whose rows this part brings anew. What they have committed is taken out, with their
   * records, together with what comes in. What is gone already is no fault.
   */
  readonly replaces?: readonly string[]
  readonly extent?: Extent
}

/** What rows of the source a part has, as far as their values tell it: for a sink that knows its rows in no other way. */
export type Extent = 'all' | KeyRange

export interface Sink {
  /** Encodings that it may take for this shape at this place, in any order. Empty: cannot. Reads no data, changes nothing. */
  accepts(shape: Shape, where: string): readonly Encoding[]
  /** Changes nothing; what cannot be told is left out. */
  expects?(where: string, options: CopyOptions, signal: AbortSignal): Promise<Expected>
  /** Looks before it leaps: refuses what cannot work, creates what is missing. May be called again for the same run. */
  prepare(request: Prepare, signal: AbortSignal): Promise<Target>
  /** The commit record of a part, if another attempt wrote it: then there is nothing to do. */
  committed(target: Target, slot: Slot, signal: AbortSignal): Promise<Commit | undefined>
  /** Writes a part and its commit record together, or neither. Fails with COMMIT_LOST when another attempt was first. */
  write(request: PartWrite, signal: AbortSignal): Promise<Commit>
  /** What this run has put into the target (staging where there is one), to hold against the source's digest. */
  digest(request: DigestRequest & { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<Digest>
  /**
   * The same by part, for those it is asked for and in their order: with it a difference is found to the part, and can be repaired.
   * `again`: the part was written again (`PartWrite.replaces`). Fails with COPY_UNSUPPORTED where nothing tells parts apart.
   */
  digestParts?(
    request: DigestRequest & {
      readonly target: Target
      readonly run: string
      readonly parts: readonly { readonly part: number; readonly task: string; readonly again: boolean; readonly extent?: Extent }[]
    },
    signal: AbortSignal,
  ): Promise<readonly Digest[]>
  /** Whether `digestParts` can tell these parts apart in this target; left out: in all. */
  tellsApart?(target: Target, parts: readonly { readonly extent?: Extent }[]): boolean
  /** Only where `can.sink.repairs`: fails with COPY_UNSUPPORTED where the parts of this target cannot be replaced. */
  refuseRepair?(target: Target): void
  /** Makes the parts visible, all at once. May be called again: publishing twice is publishing once. */
  publish(
    request: {
      readonly target: Target
      readonly run: string
      readonly parts: readonly { readonly part: number; readonly task: string; readonly commit: Commit }[]
    },
    signal: AbortSignal,
  ): Promise<void>
  /**
   * True once `publish` of this run has gone through. Staging is gone then, so a finish that is tried again cannot digest it;
   * what was published had passed. Left out by a sink whose `digest` gives the same figures after `publish` as before.
   */
  published?(target: Target, run: string, signal: AbortSignal): Promise<boolean>
  /** Takes away what a run left that was not published. */
  discard(target: Target, run: string, signal: AbortSignal): Promise<void>
}
