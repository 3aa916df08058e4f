-- People and devices

CREATE TABLE "user" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "is_admin" BOOLEAN NOT NULL DEFAULT false,
    "root_namespace_id" UUID NOT NULL,
    "disabled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "user_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "user_email_key" ON "user"("email");
CREATE UNIQUE INDEX "user_root_namespace_id_key" ON "user"("root_namespace_id");

CREATE TABLE "device" (
    "user_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),
    CONSTRAINT "device_pkey" PRIMARY KEY ("user_id", "id"),
    CONSTRAINT "device_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "session" (
    "token_hash" BYTEA NOT NULL,
    "user_id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "session_pkey" PRIMARY KEY ("token_hash"),
    CONSTRAINT "session_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "session_user_id_device_id_fkey" FOREIGN KEY ("user_id", "device_id") REFERENCES "device"("user_id", "id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "session_user_id_device_id_idx" ON "session"("user_id", "device_id");
CREATE INDEX "session_expires_at_idx" ON "session"("expires_at");

-- Namespaces and their journals

CREATE TABLE "namespace" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "head_seq" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "namespace_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "namespace_member" (
    "namespace_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "namespace_member_pkey" PRIMARY KEY ("namespace_id", "user_id"),
    CONSTRAINT "namespace_member_namespace_id_fkey" FOREIGN KEY ("namespace_id") REFERENCES "namespace"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "namespace_member_user_id_idx" ON "namespace_member"("user_id");

CREATE TABLE "commit" (
    "namespace_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "request_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "change_count" INTEGER NOT NULL,
    "changes" JSON NOT NULL,
    CONSTRAINT "commit_pkey" PRIMARY KEY ("namespace_id", "seq"),
    CONSTRAINT "commit_namespace_id_fkey" FOREIGN KEY ("namespace_id") REFERENCES "namespace"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "commit_namespace_id_request_id_key" ON "commit"("namespace_id", "request_id");

CREATE TABLE "entry" (
    "namespace_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "parent_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "content_revision" INTEGER NOT NULL,
    "place_revision" INTEGER NOT NULL,
    "size" BIGINT NOT NULL,
    "digest" BYTEA,
    "mtime" BIGINT NOT NULL,
    "deleted_at" TIMESTAMPTZ(3),
    "seq" BIGINT NOT NULL,
    CONSTRAINT "entry_pkey" PRIMARY KEY ("namespace_id", "id"),
    CONSTRAINT "entry_namespace_id_fkey" FOREIGN KEY ("namespace_id") REFERENCES "namespace"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
-- One live name in a folder. Prisma's schema language cannot say this.
CREATE UNIQUE INDEX "entry_live_name_key" ON "entry"("namespace_id", "parent_id", "name_key") WHERE "deleted_at" IS NULL;

CREATE TABLE "revision" (
    "namespace_id" UUID NOT NULL,
    "entry_id" UUID NOT NULL,
    "content_revision" INTEGER NOT NULL,
    "seq" BIGINT NOT NULL,
    "size" BIGINT NOT NULL,
    "digest" BYTEA NOT NULL,
    "mtime" BIGINT NOT NULL,
    "manifest" BYTEA NOT NULL,
    "user_id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "revision_pkey" PRIMARY KEY ("namespace_id", "entry_id", "content_revision"),
    CONSTRAINT "revision_namespace_id_entry_id_fkey" FOREIGN KEY ("namespace_id", "entry_id") REFERENCES "entry"("namespace_id", "id") ON DELETE CASCADE ON UPDATE CASCADE
);
-- Manifests are digests: compressing them costs time and gains nothing.
ALTER TABLE "revision" ALTER COLUMN "manifest" SET STORAGE EXTERNAL;

-- Chunks: where they lie, and who may name them

CREATE TABLE "pack" (
    "id" UUID NOT NULL,
    "bytes" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "pack_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "chunk" (
    "id" BYTEA NOT NULL,
    "size" INTEGER NOT NULL,
    "pack_id" UUID NOT NULL,
    "offset" INTEGER NOT NULL,
    "stored" INTEGER NOT NULL,
    "encoding" SMALLINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "chunk_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "chunk_pack_id_fkey" FOREIGN KEY ("pack_id") REFERENCES "pack"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX "chunk_pack_id_idx" ON "chunk"("pack_id");

CREATE TABLE "chunk_grant" (
    "namespace_id" UUID NOT NULL,
    "chunk_id" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "chunk_grant_pkey" PRIMARY KEY ("namespace_id", "chunk_id"),
    CONSTRAINT "chunk_grant_namespace_id_fkey" FOREIGN KEY ("namespace_id") REFERENCES "namespace"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- Response queues

CREATE TABLE "device_cursor" (
    "user_id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "namespace_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "device_cursor_pkey" PRIMARY KEY ("user_id", "device_id", "namespace_id")
);
