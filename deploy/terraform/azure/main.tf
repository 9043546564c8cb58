# Reduced to what holds data: the disk of the database, storage for backups, keys, and the network around them.

terraform {
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.10"
    }
  }
}

provider "azurerm" {
  features {}
}

resource "azurerm_resource_group" "ward" {
  name     = "ward-${var.site}"
  location = var.region
}

# ---- keys ----

resource "azurerm_key_vault" "ward" {
  name                          = "ward-${var.site}"
  location                      = azurerm_resource_group.ward.location
  resource_group_name           = azurerm_resource_group.ward.name
  tenant_id                     = var.tenant
  sku_name                      = "premium"
  purge_protection_enabled      = true
  soft_delete_retention_days    = 90
  enable_rbac_authorization     = true
  enabled_for_disk_encryption   = true
  public_network_access_enabled = false

  network_acls {
    default_action = "Deny"
    bypass         = "AzureServices"
  }
}

resource "azurerm_key_vault_key" "data" {
  name            = "ward-data"
  key_vault_id    = azurerm_key_vault.ward.id
  key_type        = "RSA-HSM"
  key_size        = 3072
  key_opts        = ["wrapKey", "unwrapKey"]
  expiration_date = "2028-01-01T00:00:00Z"

  rotation_policy {
    expire_after         = "P1Y"
    notify_before_expiry = "P30D"

    automatic {
      time_before_expiry = "P30D"
    }
  }
}

resource "azurerm_monitor_diagnostic_setting" "vault" {
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.ward.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.ward.id

  enabled_log {
    category_group = "audit"
  }
}

resource "azurerm_log_analytics_workspace" "ward" {
  name                       = "ward-${var.site}"
  location                   = azurerm_resource_group.ward.location
  resource_group_name        = azurerm_resource_group.ward.name
  retention_in_days          = 730
  internet_ingestion_enabled = false
  internet_query_enabled     = false
}

# ---- the disk of the database ----

resource "azurerm_disk_encryption_set" "data" {
  name                      = "ward-data"
  location                  = azurerm_resource_group.ward.location
  resource_group_name       = azurerm_resource_group.ward.name
  key_vault_key_id          = azurerm_key_vault_key.data.versionless_id
  auto_key_rotation_enabled = true

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_managed_disk" "database" {
  name                          = "ward-database"
  location                      = azurerm_resource_group.ward.location
  resource_group_name           = azurerm_resource_group.ward.name
  storage_account_type          = "Premium_ZRS"
  create_option                 = "Empty"
  disk_size_gb                  = 64
  disk_encryption_set_id        = azurerm_disk_encryption_set.data.id
  network_access_policy         = "DenyAll"
  public_network_access_enabled = false
}

# ---- storage for backups ----

resource "azurerm_user_assigned_identity" "storage" {
  name                = "ward-storage"
  location            = azurerm_resource_group.ward.location
  resource_group_name = azurerm_resource_group.ward.name
}

resource "azurerm_storage_account" "backups" {
  name                              = "ward${var.site}backups"
  location                          = azurerm_resource_group.ward.location
  resource_group_name               = azurerm_resource_group.ward.name
  account_tier                      = "Standard"
  account_replication_type          = "GZRS"
  min_tls_version                   = "TLS1_2"
  https_traffic_only_enabled        = true
  infrastructure_encryption_enabled = true
  shared_access_key_enabled         = false
  allow_nested_items_to_be_public   = false
  public_network_access_enabled     = false

  network_rules {
    default_action = "Deny"
    bypass         = ["AzureServices"]
  }

  blob_properties {
    versioning_enabled  = true
    change_feed_enabled = true

    delete_retention_policy {
      days = 90
    }

    container_delete_retention_policy {
      days = 90
    }
  }

  # Nobody uses its queues; whoever tries is seen.
  queue_properties {
    logging {
      version               = "1.0"
      read                  = true
      write                 = true
      delete                = true
      retention_policy_days = 365
    }
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.storage.id]
  }

  customer_managed_key {
    key_vault_key_id          = azurerm_key_vault_key.data.versionless_id
    user_assigned_identity_id = azurerm_user_assigned_identity.storage.id
  }

  immutability_policy {
    state                         = "Locked"
    period_since_creation_in_days = 90
    allow_protected_append_writes = false
  }

  tags = {
    data_class = "records"
  }
}

resource "azurerm_monitor_diagnostic_setting" "blobs" {
  name                       = "access"
  target_resource_id         = "${azurerm_storage_account.backups.id}/blobServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.ward.id

  enabled_log {
    category = "StorageRead"
  }

  enabled_log {
    category = "StorageWrite"
  }

  enabled_log {
    category = "StorageDelete"
  }
}

# ---- network ----

resource "azurerm_virtual_network" "ward" {
  name                = "ward"
  location            = azurerm_resource_group.ward.location
  resource_group_name = azurerm_resource_group.ward.name
  address_space       = ["10.20.0.0/16"]
}

resource "azurerm_subnet" "server" {
  name                            = "server"
  resource_group_name             = azurerm_resource_group.ward.name
  virtual_network_name            = azurerm_virtual_network.ward.name
  address_prefixes                = ["10.20.1.0/24"]
  default_outbound_access_enabled = false
}

resource "azurerm_network_security_group" "server" {
  name                = "ward-server"
  location            = azurerm_resource_group.ward.location
  resource_group_name = azurerm_resource_group.ward.name

  security_rule {
    name                       = "https"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "8443"
    source_address_prefix      = "10.20.0.0/16"
    destination_address_prefix = "10.20.1.0/24"
  }
}

resource "azurerm_subnet_network_security_group_association" "server" {
  subnet_id                 = azurerm_subnet.server.id
  network_security_group_id = azurerm_network_security_group.server.id
}

resource "azurerm_network_watcher" "ward" {
  name                = "ward"
  location            = azurerm_resource_group.ward.location
  resource_group_name = azurerm_resource_group.ward.name
}

resource "azurerm_network_watcher_flow_log" "network" {
  name                 = "ward"
  network_watcher_name = azurerm_network_watcher.ward.name
  resource_group_name  = azurerm_resource_group.ward.name
  target_resource_id   = azurerm_virtual_network.ward.id
  storage_account_id   = azurerm_storage_account.backups.id
  enabled              = true
  version              = 2

  retention_policy {
    enabled = true
    days    = 365
  }

  traffic_analytics {
    enabled               = true
    workspace_id          = azurerm_log_analytics_workspace.ward.workspace_id
    workspace_region      = azurerm_log_analytics_workspace.ward.location
    workspace_resource_id = azurerm_log_analytics_workspace.ward.id
  }
}
