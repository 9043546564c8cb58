resource "aws_vpc" "ward" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
}

# Nothing uses the group that every network has: it lets nothing through.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.ward.id
}

resource "aws_subnet" "server" {
  vpc_id                  = aws_vpc.ward.id
  cidr_block              = "10.20.1.0/24"
  availability_zone       = "${var.region}a"
  map_public_ip_on_launch = false
}

resource "aws_subnet" "edge" {
  vpc_id                  = aws_vpc.ward.id
  cidr_block              = "10.20.2.0/24"
  availability_zone       = "${var.region}a"
  map_public_ip_on_launch = false
}

resource "aws_flow_log" "ward" {
  vpc_id               = aws_vpc.ward.id
  traffic_type         = "ALL"
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.flows.arn
  iam_role_arn         = aws_iam_role.flows.arn
}

resource "aws_security_group" "server" {
  name        = "ward-server"
  description = "The relay: HTTPS from the load balancer"
  vpc_id      = aws_vpc.ward.id
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  security_group_id = aws_security_group.server.id
  description       = "HTTPS through the load balancer, which keeps the address of the device"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
  cidr_ipv4         = aws_subnet.edge.cidr_block
}

resource "aws_vpc_security_group_egress_rule" "services" {
  security_group_id = aws_security_group.server.id
  description       = "Services of the provider, over their private endpoints"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = aws_vpc.ward.cidr_block
}

# TLS ends in Ward itself: tickets carry the pin of its key. The load balancer passes on what it can't read.
resource "aws_lb" "edge" {
  name                             = "ward-edge"
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = [aws_subnet.edge.id]
  enable_deletion_protection       = true
  enable_cross_zone_load_balancing = true

  access_logs {
    bucket  = module.logs.id
    prefix  = "edge"
    enabled = true
  }
}

resource "aws_lb_target_group" "server" {
  name     = "ward-server"
  port     = 8443
  protocol = "TCP"
  vpc_id   = aws_vpc.ward.id
}

resource "aws_lb_listener" "server" {
  load_balancer_arn = aws_lb.edge.arn
  port              = 443
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.server.arn
  }
}

resource "aws_lb_target_group_attachment" "server" {
  target_group_arn = aws_lb_target_group.server.arn
  target_id        = aws_instance.server.id
}
