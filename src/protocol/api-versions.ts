import type { Api } from './api.js'
import { ErrorCodes } from './error-codes.js'
import type { Reader } from './reader.js'
import type { TaggedField, Writer } from './writer.js'

export interface ApiVersionsRequest {
  /** Letters, digits, `.` and `-`: brokers refuse anything else. */
  clientSoftwareName: string
  clientSoftwareVersion: string
}

export interface ApiVersionRange {
  apiKey: number
  minVersion: number
  maxVersion: number
}

interface SupportedFeature {
  name: string
  minVersion: number
  maxVersion: number
}

export interface FinalizedFeature {
  name: string
  maxVersionLevel: number
  minVersionLevel: number
}

export interface ApiVersionsResponse {
  errorCode: number
  apiKeys: readonly ApiVersionRange[]
  /** Default 0. */
  throttleTimeMs: number
  /** Default empty. */
  supportedFeatures: readonly SupportedFeature[]
  /** Default -1: unknown. */
  finalizedFeaturesEpoch: bigint
  /** Default empty. */
  finalizedFeatures: readonly FinalizedFeature[]
  /** Default false. */
  zkMigrationReady: boolean
}

const FLEXIBLE_FROM = 3
const RANGE_BYTES = 6

function readRange(r: Reader, version: number): ApiVersionRange {
  const range = { apiKey: r.int16(), minVersion: r.int16(), maxVersion: r.int16() }
  r.skipTags(version >= FLEXIBLE_FROM)
  return range
}

function writeRange(w: Writer, version: number, range: ApiVersionRange): void {
  w.int16(range.apiKey)
  w.int16(range.minVersion)
  w.int16(range.maxVersion)
  w.noTags(version >= FLEXIBLE_FROM)
}

function readSupported(r: Reader): SupportedFeature {
  const feature = { name: r.string(true), minVersion: r.int16(), maxVersion: r.int16() }
  r.skipTags()
  return feature
}

function writeSupported(w: Writer, _version: number, feature: SupportedFeature): void {
  w.string(feature.name, true)
  w.int16(feature.minVersion)
  w.int16(feature.maxVersion)
  w.noTags()
}

function readFinalized(r: Reader): FinalizedFeature {
  const feature = { name: r.string(true), maxVersionLevel: r.int16(), minVersionLevel: r.int16() }
  r.skipTags()
  return feature
}

function writeFinalized(w: Writer, _version: number, feature: FinalizedFeature): void {
  w.string(feature.name, true)
  w.int16(feature.maxVersionLevel)
  w.int16(feature.minVersionLevel)
  w.noTags()
}

function readTag(body: ApiVersionsResponse, tag: number, r: Reader, version: number): boolean {
  if (tag === 0) body.supportedFeatures = r.array(true, 6, version, readSupported)
  else if (tag === 1) body.finalizedFeaturesEpoch = r.int64()
  else if (tag === 2) body.finalizedFeatures = r.array(true, 6, version, readFinalized)
  else if (tag === 3) body.zkMigrationReady = r.bool()
  else return false
  return true
}

function tagsOf(body: ApiVersionsResponse, version: number): TaggedField[] {
  const fields: TaggedField[] = []
  if (body.supportedFeatures.length > 0) {
    fields.push({ tag: 0, write: w => w.array(body.supportedFeatures, true, version, writeSupported) })
  }
  if (body.finalizedFeaturesEpoch !== -1n) {
    fields.push({ tag: 1, write: w => w.int64(body.finalizedFeaturesEpoch) })
  }
  if (body.finalizedFeatures.length > 0) {
    fields.push({ tag: 2, write: w => w.array(body.finalizedFeatures, true, version, writeFinalized) })
  }
  if (body.zkMigrationReady) fields.push({ tag: 3, write: w => w.bool(true) })
  return fields
}

/**
 * A broker that does not know the version asked for answers UNSUPPORTED_VERSION in the layout of version 0,
 * which is recognised by the frame ending exactly after the array it announces.
 */
function isVersionZeroLayout(r: Reader, errorCode: number): boolean {
  if (errorCode !== ErrorCodes.UNSUPPORTED_VERSION || r.remaining < 4) return false
  const count = r.peekInt32()
  return count >= 0 && r.remaining === 4 + count * RANGE_BYTES
}

/**
 *     request   clientSoftwareName:string{3+} clientSoftwareVersion:string{3+}
 *     response  errorCode:int16 apiKeys:[ apiKey:int16 minVersion:int16 maxVersion:int16 ]
 *               throttleTimeMs:int32{1+}
 *               #0 supportedFeatures:[ name:string minVersion:int16 maxVersion:int16 ]{3+}
 *               #1 finalizedFeaturesEpoch:int64{3+}
 *               #2 finalizedFeatures:[ name:string maxVersionLevel:int16 minVersionLevel:int16 ]{3+}
 *               #3 zkMigrationReady:bool{3+}
 *
 * The response header is version 0 always: it must be readable before versions are known. The error
 * UNSUPPORTED_VERSION is written in the layout of version 0 whatever was asked.
 */
export const ApiVersions: Api<ApiVersionsRequest, ApiVersionsResponse> = {
  key: 18,
  name: 'ApiVersions',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: FLEXIBLE_FROM,
  clientThrottlesFrom: 2,

  writeRequest(w, version, body) {
    if (version < 3) return
    w.string(body.clientSoftwareName, true)
    w.string(body.clientSoftwareVersion, true)
    w.noTags()
  },

  readRequest(r, version) {
    if (version < 3) return { clientSoftwareName: '', clientSoftwareVersion: '' }
    const body = { clientSoftwareName: r.string(true), clientSoftwareVersion: r.string(true) }
    r.skipTags()
    return body
  },

  writeResponse(w, asked, body) {
    const version = body.errorCode === ErrorCodes.UNSUPPORTED_VERSION ? 0 : asked
    const flexible = version >= FLEXIBLE_FROM
    w.int16(body.errorCode)
    w.array(body.apiKeys, flexible, version, writeRange)
    if (version >= 1) w.int32(body.throttleTimeMs)
    if (flexible) w.tags(tagsOf(body, version))
  },

  readResponse(r, asked) {
    const errorCode = r.int16()
    const version = isVersionZeroLayout(r, errorCode) ? 0 : asked
    const flexible = version >= FLEXIBLE_FROM
    const body: ApiVersionsResponse = {
      errorCode,
      apiKeys: r.array(flexible, flexible ? RANGE_BYTES + 1 : RANGE_BYTES, version, readRange),
      throttleTimeMs: version >= 1 ? r.int32() : 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: -1n,
      finalizedFeatures: [],
      zkMigrationReady: false,
    }
    if (flexible) r.tags(body, version, readTag)
    return body
  },
}
