/**
 * What clients and readers tell the rig over a pipe: fixed frames of 32 bytes, big-endian.
 *
 * ```
 * frame => kind:uint8 flags:uint8 slot:uint16 count:uint32 sequence:float64 place:float64 atMs:float64
 * ```
 * A frame speaks of `count` records of one slot whose sequences, and places (place.ts) where they are known,
 * are consecutive. NOTE is followed by `count` bytes of JSON. Fields a kind does not need are 0.
 */
export const FRAME_BYTES = 32

export const FrameKind = {
  /** Settled well; `place` is that of the first record, -1 where the client does not know. */
  ACKED: 1,
  /** Failed, and certainly not stored. */
  REFUSED: 2,
  /** Failed, and perhaps stored. */
  AMBIGUOUS: 3,
  /** `sequence` records of the slot have been handed to the client so far. */
  SENT: 4,
  /** JSON follows. */
  NOTE: 5,
  /** Read from the log at `place`; `flags` say what is wrong with the record. */
  READ: 6,
  /** Everything that the slot can have was read. */
  END: 7,
} as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

/** Flags of READ. Where TORN is set the sequence means nothing. */
export const ReadFlag = {
  /** Not a record of this rig, or its checksum does not fit its bytes. */
  TORN: 1,
  /** Made for another topic or partition than the one it was read from. */
  FOREIGN: 2,
  /** A record of another run. */
  STRANGER: 4,
} as const

export interface Frame {
  kind: FrameKind
  flags: number
  slot: number
  count: number
  sequence: number
  place: number
  atMs: number
}

/** Collects frames and hands them on in larger pieces. */
export class FrameWriter {
  private readonly write: (bytes: Buffer) => void
  private bytes = Buffer.allocUnsafe(FRAME_BYTES * 512)
  private used = 0

  constructor(write: (bytes: Buffer) => void) {
    this.write = write
  }

  frame(kind: FrameKind, slot: number, count: number, sequence: number, place: number, flags = 0, atMs = 0) {
    if (this.used + FRAME_BYTES > this.bytes.length) this.flush()
    const { bytes, used } = this
    bytes.writeUInt8(kind, used)
    bytes.writeUInt8(flags, used + 1)
    bytes.writeUInt16BE(slot, used + 2)
    bytes.writeUInt32BE(count, used + 4)
    bytes.writeDoubleBE(sequence, used + 8)
    bytes.writeDoubleBE(place, used + 16)
    bytes.writeDoubleBE(atMs, used + 24)
    this.used += FRAME_BYTES
  }

  note(value: unknown): void {
    const json = Buffer.from(JSON.stringify(value))
    this.frame(FrameKind.NOTE, 0, json.length, 0, 0)
    this.flush()
    this.write(json)
  }

  flush(): void {
    if (this.used === 0) return
    this.write(this.bytes.subarray(0, this.used))
    this.bytes = Buffer.allocUnsafe(this.bytes.length)
    this.used = 0
  }
}

/** Cuts a stream of bytes into frames and notes. The frame object is reused: take what is needed at once. */
export class FrameReader {
  private readonly onFrame: (frame: Frame) => void
  private readonly onNote: (note: unknown) => void
  private rest: Buffer = Buffer.alloc(0)
  private noteBytes = -1
  private readonly frame: Frame = { kind: 1, flags: 0, slot: 0, count: 0, sequence: 0, place: 0, atMs: 0 }

  constructor(onFrame: (frame: Frame) => void, onNote: (note: unknown) => void) {
    this.onFrame = onFrame
    this.onNote = onNote
  }

  push(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    let at = 0
    for (;;) {
      const needed = this.noteBytes >= 0 ? this.noteBytes : FRAME_BYTES
      if (bytes.length - at < needed) break
      if (this.noteBytes >= 0) {
        this.noteBytes = -1
        this.onNote(JSON.parse(bytes.toString('utf8', at, at + needed)))
      } else this.take(bytes, at)
      at += needed
    }
    this.rest = bytes.subarray(at)
  }

  private take(bytes: Buffer, at: number): void {
    const { frame } = this
    frame.kind = bytes.readUInt8(at) as FrameKind
    frame.flags = bytes.readUInt8(at + 1)
    frame.slot = bytes.readUInt16BE(at + 2)
    frame.count = bytes.readUInt32BE(at + 4)
    frame.sequence = bytes.readDoubleBE(at + 8)
    frame.place = bytes.readDoubleBE(at + 16)
    frame.atMs = bytes.readDoubleBE(at + 24)
    if (frame.kind === FrameKind.NOTE) this.noteBytes = frame.count
    else this.onFrame(frame)
  }
}
