import { metadataStoreContract } from '@/tests/contracts/metadata-store-contract';
import { sha256 } from '@/tests/contracts/metadata-store-fixture';
import { createMemoryMetadata } from './memory-metadata-store';

metadataStoreContract('memory', async () => createMemoryMetadata(sha256));
