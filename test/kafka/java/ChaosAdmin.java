import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * What the fault rig wants from a cluster, on one kept admin client. Argument: bootstrap servers. Commands come
 * one a line, words separated by tabs; the last line of an answer is `ok` or `error` and a message.
 *
 *   version
 *   create     TOPIC PARTITIONS REPLICATION [NAME=VALUE]...
 *   describe   TOPIC...                              lines: topic, partition, leader, replicas, in-sync replicas
 *   controller                                       line: node id
 *   elect      TOPIC:PARTITION...                    preferred leaders; line: how many changed
 *   reassign   TOPIC:PARTITION=REPLICA,REPLICA...    returns at once
 *   reassigning                                      line: how many are not finished
 *   feature    NAME LEVEL                            finalizes the level, up or down; `latest` is what all nodes have
 *   delete     TOPIC                                 returns when it is gone
 *   grow       TOPIC PARTITIONS                      to so many in all
 *   deny       TOPIC USER OPERATION                  of a topic
 *   allow      TOPIC                                 takes every ACL of the topic away
 *   password   USER MECHANISM PASSWORD               gives SCRAM credentials; without a password takes them away
 */
public final class ChaosAdmin {
    private final Admin admin;

    private ChaosAdmin(Admin admin) {
        this.admin = admin;
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, Object> configs = Map.of(
            "bootstrap.servers", arguments[0], "default.api.timeout.ms", 30_000, "request.timeout.ms", 10_000);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Admin admin = Admin.create(configs)) {
            ChaosAdmin self = new ChaosAdmin(admin);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                StringBuilder answer = new StringBuilder();
                try {
                    for (String each : self.run(line.split("\t", -1))) {
                        answer.append(each).append('\n');
                    }
                    answer.append("ok\n");
                } catch (Exception error) {
                    answer.append("error\t").append(error.toString().replaceAll("\\s+", " ")).append('\n');
                }
                System.out.print(answer);
                System.out.flush();
            }
        }
    }

    private List<String> run(String[] words) throws Exception {
        List<String> rest = Arrays.asList(words).subList(1, words.length);
        return switch (words[0]) {
            case "version" -> List.of(AppInfoParser.getVersion());
            case "create" -> create(rest);
            case "describe" -> describe(rest);
            case "controller" -> List.of(
                Integer.toString(admin.describeMetadataQuorum().quorumInfo().get().leaderId()));
            case "elect" -> elect(rest);
            case "reassign" -> reassign(rest);
            case "feature" -> {
                Features.set(admin, rest.get(0), rest.get(1).equals("latest")
                    ? Features.latest(admin, rest.get(0)) : Short.parseShort(rest.get(1)));
                yield List.of();
            }
            case "delete" -> {
                admin.deleteTopics(List.of(rest.get(0))).all().get();
                yield List.of();
            }
            case "grow" -> {
                int partitions = Integer.parseInt(rest.get(1));
                admin.createPartitions(Map.of(rest.get(0), NewPartitions.increaseTo(partitions))).all().get();
                yield List.of();
            }
            case "deny" -> {
                var entry = new AccessControlEntry("User:" + rest.get(1), "*",
                    AclOperation.fromString(rest.get(2)), AclPermissionType.DENY);
                admin.createAcls(List.of(new AclBinding(topicPattern(rest.get(0)), entry))).all().get();
                yield List.of();
            }
            case "allow" -> {
                var filter = new AclBindingFilter(topicPattern(rest.get(0)).toFilter(), AccessControlEntryFilter.ANY);
                admin.deleteAcls(List.of(filter)).all().get();
                yield List.of();
            }
            case "password" -> {
                var mechanism = ScramMechanism.fromMechanismName(rest.get(1));
                var change = rest.size() < 3 ? new UserScramCredentialDeletion(rest.get(0), mechanism)
                    : new UserScramCredentialUpsertion(
                        rest.get(0), new ScramCredentialInfo(mechanism, 4096), rest.get(2));
                admin.alterUserScramCredentials(List.of(change)).all().get();
                yield List.of();
            }
            case "reassigning" -> List.of(
                Integer.toString(admin.listPartitionReassignments().reassignments().get().size()));
            default -> throw new IllegalArgumentException("unknown command " + words[0]);
        };
    }

    private static ResourcePattern topicPattern(String topic) {
        return new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL);
    }

    private List<String> create(List<String> words) throws Exception {
        Map<String, String> configs = new HashMap<>();
        for (String word : words.subList(3, words.size())) {
            int equals = word.indexOf('=');
            configs.put(word.substring(0, equals), word.substring(equals + 1));
        }
        NewTopic topic = new NewTopic(words.get(0),
            Optional.of(Integer.parseInt(words.get(1))), Optional.of(Short.parseShort(words.get(2))));
        admin.createTopics(List.of(topic.configs(configs))).all().get();
        return List.of();
    }

    private List<String> describe(List<String> topics) throws Exception {
        List<String> lines = new ArrayList<>();
        for (var topic : new TreeMap<>(admin.describeTopics(topics).allTopicNames().get()).entrySet()) {
            for (TopicPartitionInfo info : topic.getValue().partitions()) {
                int leader = info.leader() == null ? -1 : info.leader().id();
                lines.add(topic.getKey() + "\t" + info.partition() + "\t" + leader + "\t"
                    + ids(info.replicas()) + "\t" + ids(info.isr()));
            }
        }
        return lines;
    }

    private static String ids(List<Node> nodes) {
        return String.join(",", nodes.stream().map(node -> Integer.toString(node.id())).toList());
    }

    private static TopicPartition partitionOf(String word) {
        int colon = word.lastIndexOf(':');
        return new TopicPartition(word.substring(0, colon), Integer.parseInt(word.substring(colon + 1)));
    }

    private List<String> elect(List<String> words) throws Exception {
        Set<TopicPartition> partitions = new HashSet<>(words.stream().map(ChaosAdmin::partitionOf).toList());
        var outcome = admin.electLeaders(ElectionType.PREFERRED, partitions).partitions().get();
        long changed = outcome.values().stream().filter(Optional::isEmpty).count();
        return List.of(Long.toString(changed));
    }

    private List<String> reassign(List<String> words) throws Exception {
        Map<TopicPartition, Optional<NewPartitionReassignment>> wanted = new HashMap<>();
        for (String word : words) {
            int equals = word.indexOf('=');
            List<Integer> replicas =
                Arrays.stream(word.substring(equals + 1).split(",")).map(Integer::valueOf).toList();
            wanted.put(partitionOf(word.substring(0, equals)), Optional.of(new NewPartitionReassignment(replicas)));
        }
        admin.alterPartitionReassignments(wanted).all().get();
        return List.of();
    }
}
