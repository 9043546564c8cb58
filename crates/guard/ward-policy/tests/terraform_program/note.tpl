Dear ${name},
%{ for day in days ~}
  * ${day}
%{ endfor ~}
%{ if urgent }now%{ else }later%{ endif }
