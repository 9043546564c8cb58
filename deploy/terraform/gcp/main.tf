# Reduced to what holds data: the disk of the database, storage for backups, keys, and the network around them.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.12"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

# ---- keys ----

resource "google_kms_key_ring" "ward" {
  name     = "ward"
  location = var.region
}

resource "google_kms_crypto_key" "data" {
  name                       = "ward-data"
  key_ring                   = google_kms_key_ring.ward.id
  rotation_period            = "7776000s"
  destroy_scheduled_duration = "2592000s"

  version_template {
    algorithm        = "GOOGLE_SYMMETRIC_ENCRYPTION"
    protection_level = "HSM"
  }

  lifecycle {
    prevent_destroy = true
  }
}

# ---- the disk of the database ----

resource "google_compute_disk" "database" {
  name = "ward-database"
  type = "pd-ssd"
  zone = "${var.region}-a"
  size = 50

  disk_encryption_key {
    kms_key_self_link = google_kms_crypto_key.data.id
  }
}

# ---- storage for backups ----

resource "google_storage_bucket" "backups" {
  name                        = "ward-${var.site}-backups"
  location                    = "EU"
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  encryption {
    default_kms_key_name = google_kms_crypto_key.data.id
  }

  versioning {
    enabled = true
  }

  retention_policy {
    retention_period = 7776000
    is_locked        = true
  }

  logging {
    log_bucket        = google_storage_bucket.logs.name
    log_object_prefix = "backups"
  }

  lifecycle_rule {
    condition {
      age = 400
    }

    action {
      type = "Delete"
    }
  }

  labels = {
    data_class = "records"
  }
}

resource "google_storage_bucket" "logs" {
  name                        = "ward-${var.site}-logs"
  location                    = "EU"
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  encryption {
    default_kms_key_name = google_kms_crypto_key.data.id
  }

  versioning {
    enabled = true
  }

  retention_policy {
    retention_period = 189388800
    is_locked        = true
  }

  lifecycle_rule {
    condition {
      age = 2557
    }

    action {
      type = "Delete"
    }
  }

  labels = {
    data_class = "logs"
  }
}

# ---- network ----

resource "google_compute_network" "ward" {
  name                    = "ward"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "server" {
  name                     = "server"
  network                  = google_compute_network.ward.id
  region                   = var.region
  ip_cidr_range            = "10.20.1.0/24"
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_5_SEC"
    flow_sampling        = 1.0
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "https" {
  name          = "ward-https"
  network       = google_compute_network.ward.id
  direction     = "INGRESS"
  source_ranges = ["10.20.0.0/16"]
  target_tags   = ["ward-server"]

  allow {
    protocol = "tcp"
    ports    = ["8443"]
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}
