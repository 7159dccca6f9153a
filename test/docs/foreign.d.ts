// Packages that blocks name and that are not installed for the tests: the calls that the blocks make.
declare module '@aws-sdk/credential-providers' {
  interface AwsCredentials {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  export function fromNodeProviderChain(): () => Promise<AwsCredentials>
}

declare module '@azure/identity' {
  export class DefaultAzureCredential {
    getToken(scope: string): Promise<{ token: string; expiresOnTimestamp: number }>
  }
}

declare module '@confluentinc/schemaregistry' {
  export enum SerdeType {
    KEY = 'KEY',
    VALUE = 'VALUE',
  }
  export class SchemaRegistryClient {
    constructor(options: { baseURLs: string[] })
  }
  export class AvroSerializer {
    constructor(client: SchemaRegistryClient, type: SerdeType, options: { useLatestVersion?: boolean })
    serialize(topic: string, value: unknown): Promise<Buffer>
  }
}
